"""A run: one cohort on one stream, as a coroutine.

It yields what it has measured and is sent the seats to keep. Who does the sending - a test, a
local loop, a Ray worker - is no business of this module.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from math import isnan
from time import perf_counter

from trainables.cohort import Cohort
from trainables.scenarios.base import Stream


@dataclass(frozen=True, slots=True)
class Record:
    """What one seat scored when task ``task`` (from 0) was finished, after ``step`` steps.

    ``accuracy`` is its average's, on the validation sets of tasks 0 to ``task``; ``seconds`` its
    share of the time since the last record, the seats that shared it paying alike. ``failed`` says
    why there is no accuracy.
    """

    seat: int
    task: int
    step: int
    accuracy: tuple[float, ...]
    seconds: float
    failed: str | None = None


def run(cohort: Cohort, stream: Stream) -> Generator[list[Record], Collection[int] | None, None]:
    """Trains the tasks not yet trained; after each yields a record for each alive seat.

    Is sent the seats to keep, None for all that the caller has not dropped itself. Seats that
    failed are reported once and dropped. Ends when the stream does, or when nobody is left.
    """
    while cohort.seats and cohort.task < stream.clock.task_count:
        began = perf_counter()
        cohort.train_task()
        rows: list[list[float]] = cohort.evaluate(stream.validation[: cohort.task]).tolist()
        share = (perf_counter() - began) / len(rows)
        records = [
            _record(cohort, stream, seat, row, share)
            for seat, row in zip(cohort.seats, rows, strict=True)
        ]
        kept = yield records
        well = {r.seat for r in records if r.failed is None} & set(cohort.seats)
        cohort.keep(well if kept is None else well & set(kept))


def _record(cohort: Cohort, stream: Stream, seat: int, row: list[float], seconds: float) -> Record:
    task, finite = cohort.task - 1, not any(map(isnan, row))
    return Record(
        seat=seat,
        task=task,
        step=stream.clock.task_ends[task],
        accuracy=tuple(row) if finite else (),
        seconds=seconds,
        failed=None if finite else f"diverged: not finite after task {task}",
    )
