"""Jobs of a study's candidates outside of the study: with another seed, or for the clock alone."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.events import Measured, Outcome
from search.jobs import Job, work
from trainables.cohort import Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.events import Event
    from search.history import History
    from search.studyfile import StudyFile
    from trainables.runs import Record


def job_of(
    history: History, file: StudyFile, members: Sequence[Sequence[int]], *, seed: int
) -> Job:
    """Of each member the first candidate's student, and all of its candidates' averages."""

    def member(candidates: Sequence[int]) -> Member:
        made = [file.candidate(history.candidates[c].config) for c in candidates]
        return Member(made[0][0], tuple(averager for _, averager in made))

    return Job(
        number=0,
        members=tuple(map(member, members)),
        alive=tuple(range(sum(map(len, members)))),
        scenario=file.scenario,
        seed=seed,
        device="cpu",
        threads=1,
        checkpoint=Path("none"),
    )


def driven(job: Job) -> Iterator[list[Record]]:
    """The records of each task, everybody being kept."""
    with tempfile.TemporaryDirectory() as passing:
        running, kept = work(replace(job, checkpoint=Path(passing, "checkpoint.pt"))), None
        while True:
            try:
                records = running.send(kept)
            except StopIteration:
                return
            yield records
            kept = [r.seat for r in records]


def told(job: Job, seats: Sequence[int], tasks: int) -> Iterator[Event]:
    """What a ledger would say of ``job``, whose seats are those candidates."""
    for record in (r for records in driven(job) for r in records):
        candidate, well = seats[record.seat], record.failed is None
        if well:
            yield Measured(
                candidate=candidate,
                task=record.task,
                step=record.step,
                accuracy=record.accuracy,
                seconds=record.seconds,
                at=0,
            )
        if not well or record.task == tasks - 1:
            state = "complete" if well else "failed"
            yield Outcome(candidate=candidate, state=state, values={}, task=record.task, at=0)
