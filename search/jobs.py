"""Jobs: one process' worth of candidates, and how a worker does one."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

import torch

from trainables.checkpoints import load_into, save
from trainables.cohort import Cohort, Member
from trainables.devices import DeviceName, device_called
from trainables.evaluation import ACCURACY, Evaluation
from trainables.programs import warm
from trainables.runs import Record, run
from trainables.snapshots import Keeper
from trainables.twins import twins

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path

    from search.settings import Settings
    from trainables.scenarios import Scenario
    from trainables.scenarios.base import Stream
    from trainables.snapshots import Album

Verdict: TypeAlias = "Collection[int] | None"
"""The seats that go on; None before anything was measured."""

SECONDS_BETWEEN_CHECKPOINTS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Everything a worker needs, on any node that sees ``checkpoint``'s folder.

    ``alive`` are the seats that still owe an outcome: all of them, unless the job is resumed.
    ``evaluation`` says what is measured besides accuracy; ``album`` says which snapshots are kept, if any, and where.
    """

    number: int
    members: tuple[Member, ...]
    alive: tuple[int, ...]
    scenario: Scenario
    seed: int
    device: DeviceName
    threads: int
    checkpoint: Path
    evaluation: Evaluation = ACCURACY
    album: Album | None = None


def device_of(file: Settings) -> DeviceName:
    """What jobs are trained on: ``auto`` is a GPU if they are given one, on either engine."""
    return "cpu" if file.device == "auto" and file.resources.gpu == 0 else file.device


def work(job: Job) -> Generator[list[Record], Verdict, None]:
    """Trains a job's cohort; after each task yields its records and is sent the seats to keep.

    The cohort is saved once a verdict is carried out, if the last time was long enough ago: what
    is on the disk is therefore never ahead of the ledger. Snapshots are saved before the records of
    their task leave, so that what the ledger calls complete has all of them.
    """
    torch.set_num_threads(job.threads)
    _prepare()
    torch.cuda.empty_cache()  # what the last job left: others may share the GPU; else does nothing
    device = device_called(job.device)
    stream = _stream(job.scenario, device)
    began = time.perf_counter()
    keeper = Keeper(job.album, stream.clock) if job.album else None
    observe = keeper.observe if keeper else None
    every, twin = job.evaluation.every, None
    if job.evaluation.of_twins:
        twin = twins(job.members, stream, seed=job.seed, device=device, every=every)
    cohort = Cohort(
        job.members,
        stream,
        seed=job.seed,
        device=device,
        observe=observe,
        every=every,
        twin=twin,
    )
    if job.checkpoint.exists():
        load_into(cohort, job.checkpoint)
    cohort.keep(set(job.alive) & set(cohort.seats))
    running, saved = run(cohort, stream, job.evaluation, since=began), time.monotonic()
    kept: Verdict = None
    while True:
        try:
            records = running.send(kept)
        except StopIteration:
            return
        if keeper:
            keeper.save(cohort)
        kept = set((yield records) or ()) & set(cohort.seats)
        if kept and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
            cohort.keep(kept)
            save(cohort, job.checkpoint)
            saved = time.monotonic()


@cache
def _prepare() -> None:
    """Once a process: what it has loaded is there to stay, and is not gone through for garbage again.

    Tracing leaves enough behind to have Python look for garbage time and again; among all that PyTorch loads that takes a
    fifth of a second.
    """
    warm()
    gc.freeze()


@lru_cache(maxsize=2)
def _stream(scenario: Scenario, device: torch.device) -> Stream:
    """Kept between the jobs of one worker: the data are the same for all of them."""
    return scenario.stream().to(device)
