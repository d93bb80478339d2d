"""A study for Equipoise's own engines whose candidates are given: no sampler, no ledger, no rungs.

So that what is timed is what the other ways do too: training, evaluating, and carrying results.
What asking and the ledger cost is measured apart (``benchmarks/drivers.py``).
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.candidates import SEED
from benchmarks.feeds import Feed
from benchmarks.measurements import Peaks, Rows
from search.jobs import Job
from search.settings import Resources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.work import Work
    from search.plans import Crew
    from trainables.runs import Record


class FixedStudy:
    """What an engine needs of a study (``search.study.Study``), for candidates that are given."""

    def __init__(self, work: Work, *, workers: int, directory: Path) -> None:
        self.file: Any = SimpleNamespace(resources=Resources())
        self.directory = directory
        self.feed = Feed(work.one_of_each(), work.crews, workers)
        self.rows: Rows = {c.number: [] for c in work.candidates}
        self.peaks = Peaks()
        self._work = work
        self._tasks = work.scenario.clock().task_count
        self._crews: dict[int, Crew] = {}
        self._open = 0
        self._over = False

    @property
    def done(self) -> bool:
        """Whether everything was handed out and has come back."""
        return self._over and not self._open

    def next_job(self) -> Job | None:
        """A warm-up, which has all shapes of a real job and two steps a task; or a real job."""
        if (handed := self.feed.next()) is None:
            self._over = True
            return None
        self._open += 1
        number, crew = handed
        self._crews[number] = crew
        scenario = self._work.scenario
        return Job(
            number=number,
            members=self._work.members(crew),
            alive=tuple(range(sum(map(len, crew)))),
            scenario=scenario if self.feed.counts(number) else replace(scenario, steps=2),  # type: ignore[call-arg]
            seed=SEED,
            device="cpu",
            threads=1,
            checkpoint=self.directory / f"job-{number}.pt",
        )

    def tell(self, job: int, records: Sequence[Record]) -> list[int]:
        """Keeps what was measured; every seat goes on to the last task."""
        if failed := [r.failed for r in records if r.failed]:
            raise RuntimeError(f"a candidate of the benchmark failed: {failed[0]}")
        if self.feed.counts(job):
            numbers = [c for member in self._crews[job] for c in member]
            for record in records:
                self.rows[numbers[record.seat]].append(record.accuracy)
        self.peaks.look()
        if records[0].task < self._tasks - 1:
            return [r.seat for r in records]
        self._open -= 1
        self.feed.done(job)
        return []

    def fault(self, job: int, reason: str, kind: str) -> None:
        """Nothing here is expected to fail."""
        raise RuntimeError(f"job {job} of the benchmark {kind}: {reason}")
