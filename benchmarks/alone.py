"""Ways of running that need one process: each in a fresh one, so that its memory is its own."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from benchmarks.candidates import SEED
from benchmarks.measurements import Measurement, peak

if TYPE_CHECKING:
    from benchmarks.work import Work

T = TypeVar("T")


def in_fresh_process(of: Callable[..., T], *arguments: object) -> T:
    """``of(*arguments)``, in a process that has done nothing else."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(of, *arguments).result()


def nudged_loop(way: str, work: Work, asked: float) -> Measurement:
    """``plain_loop`` from first weights that are the next float32: how far it differs from itself."""
    return plain_loop(way, work, asked, nudge=2**-23)


def plain_loop(way: str, work: Work, asked: float, nudge: float = 0.0) -> Measurement:
    """One candidate after another in ordinary PyTorch. ``asked``: when the process was asked for."""
    from benchmarks.plain_loop import train  # noqa: PLC0415 - a process imports what it needs: its memory is measured

    torch.set_num_threads(1)
    stream = work.scenario.stream()
    next(train(work.candidates[0], stream, seed=SEED))
    began = time.perf_counter()
    rows = {c.number: list(train(c, stream, seed=SEED, nudge=nudge)) for c in work.candidates}
    span = (began, time.perf_counter())
    return work.measurement(
        way, span=span, start_up=began - asked, peaks={"process": peak()}, rows=rows
    )


def local_engine(way: str, work: Work, asked: float) -> Measurement:
    """Equipoise without Ray."""
    from benchmarks.fixed_studies import FixedStudy  # noqa: PLC0415 - likewise
    from search.engines import local  # noqa: PLC0415 - likewise

    with tempfile.TemporaryDirectory() as folder:
        study = FixedStudy(work, workers=1, directory=Path(folder))
        local.drive(study, lambda: None)
    feed = study.feed
    return work.measurement(
        way,
        span=(feed.began, feed.ended),
        start_up=feed.began - asked,
        peaks={"process": peak()},
        rows=study.rows,
    )
