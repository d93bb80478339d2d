"""A run: one cohort on one stream, as a coroutine.

It yields what it has measured and is sent the seats to keep. Who does the sending - a test, a
local loop, a Ray worker - is no business of this module.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import dataclass
from time import perf_counter

from trainables.cohort import Cohort
from trainables.evaluation import ACCURACY, Evaluation, Judge, Scores
from trainables.scenarios.base import Stream


@dataclass(frozen=True, slots=True)
class Record:
    """What one seat scored when task ``task`` (from 0) was finished, after ``step`` steps.

    ``scores`` are its average's and its student's (``trainables/evaluation.py``); ``seconds`` its
    share of the time since the last record, the seats that shared it paying alike: that of making the cohort, training,
    judging and compacting, not of waiting for who is to be kept. ``failed`` says
    why its average has no accuracy, and then there are no scores.
    """

    seat: int
    task: int
    step: int
    scores: Scores
    seconds: float
    failed: str | None = None

    @property
    def accuracy(self) -> tuple[float, ...]:
        """The average's, on the validation sets of tasks 0 to ``task``; none if it failed."""
        return self.scores.get("accuracy", ())


def run(
    cohort: Cohort,
    stream: Stream,
    evaluation: Evaluation = ACCURACY,
    *,
    since: float | None = None,
) -> Generator[list[Record], Collection[int] | None, None]:
    """Trains the tasks not yet trained; after each yields a record for each alive seat.

    Is sent the seats to keep, None for all that the caller has not dropped itself. Seats that
    failed are reported once and dropped. Ends when the stream does, or when nobody is left.
    Its time counts ``since`` then, in seconds of ``perf_counter``, or from now on.

    Raises:
        ValueError: if ``evaluation`` looks at other steps than ``cohort`` can pause at.
    """
    if evaluation.every not in {None, cohort.every}:
        raise ValueError(f"the cohort pauses elsewhere, got {evaluation.every=} {cohort.every=}")
    began = perf_counter() if since is None else since
    judge = Judge(cohort, stream, evaluation)
    while cohort.seats and cohort.task < stream.clock.task_count:
        judge.train_task()
        scores = judge.scores()
        share = (perf_counter() - began) / len(scores)
        records = [
            _record(cohort, stream, seat, found, share)
            for seat, found in zip(cohort.seats, scores, strict=True)
        ]
        kept = yield records
        began = perf_counter()
        well = {r.seat for r in records if r.failed is None} & set(cohort.seats)
        cohort.keep(well if kept is None else well & set(kept))


def _record(cohort: Cohort, stream: Stream, seat: int, scores: Scores, seconds: float) -> Record:
    task, well = cohort.task - 1, "accuracy" in scores
    return Record(
        seat=seat,
        task=task,
        step=stream.clock.task_ends[task],
        scores=scores if well else {},
        seconds=seconds,
        failed=None if well else f"diverged: not finite after task {task}",
    )
