"""The virtual engine: a study's jobs on many workers of a clock of its own, of which nothing is trained.

What a task measures and how long it takes a :class:`World` says; who waits for whom, who is slow
and who dies is worked out event by event. Nothing sleeps: a search of hours is seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from search.jobs import SECONDS_BETWEEN_CHECKPOINTS
from spaces.specs import Spec
from trainables.runs import Record
from trainables.seeds import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from search.jobs import Job
    from search.study import Study
    from search.worlds import World

HOUR = 3600.0
DIED = "its worker died"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet(Spec):
    """Whom a study is simulated on: ``workers``, each doing one job at a time.

    A task takes 1 + |z| times as long as the world says, z normal with the standard deviation
    ``stragglers`` (Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020,
    appendix A.1). Workers die ``failures`` times per hour of their work, at times that are
    exponential; another stands in at once. All is drawn from ``seed``.
    """

    workers: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    stragglers: Annotated[float, Field(ge=0)] = 0.0
    failures: Annotated[float, Field(ge=0)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 0


class VirtualClock:
    """Seconds since the study began; read by calling it, set by the engine alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Usage:
    """What a fleet did: ``busy`` seconds at work, all workers together, until the clock said ``wall``.

    Work that was still going on then is not counted. What of it no record accounts for was lost:
    to deaths, to what had to be done again after them, and to averages that diverged.
    """

    workers: int
    busy: float = 0.0
    wall: float = 0.0
    deaths: int = 0

    @property
    def utilisation(self) -> float:
        """The share of the workers' time that they were at work; 0 if nothing was to be done."""
        return self.busy / (self.workers * self.wall) if self.wall else 0.0


@dataclass(slots=True)
class _Doing:
    """A job on a worker: the seats that still run, the task they are at and its seconds."""

    job: int
    seats: list[int]
    task: int
    accuracy: NDArray[np.float64]
    saved_at: float
    began: float = 0.0
    seconds: float = 0.0
    dies: bool = False


class Virtual:
    """Drives one ``study`` in a ``world`` by a ``fleet``; ``clock`` is the one the study reads."""

    def __init__(self, study: Study, world: World, fleet: Fleet, clock: VirtualClock) -> None:
        self._study, self._world, self._fleet, self._clock = study, world, fleet, clock
        self._rng = np.random.default_rng(fleet.seed)
        self._ends = study.file.scenario.clock().task_ends
        self._saved: dict[int, int] = {}
        self._due: list[tuple[float, int, _Doing]] = []
        self._begun = 0
        self.usage = Usage(fleet.workers)

    def drive(self, watch: Callable[[], Any]) -> Usage:
        """To the end of the study, or until ``watch``, called after everything told, says True."""
        self._hire()
        while self._due:
            self._clock.seconds, _, doing = heappop(self._due)
            self._end(doing)
            if watch() is True:
                break
            self._hire()
        return self.usage

    def _hire(self) -> None:
        """Gives jobs to the workers that have none, while there are jobs."""
        while len(self._due) < self._fleet.workers:
            job = self._study.next_job()
            if job is None:
                return
            self._take(job)

    def _take(self, job: Job) -> None:
        members = self._study.history.jobs[job.number].candidates
        knobs = [self._knobs(members[seat]) for seat in job.alive]
        accuracy = np.full((len(members), len(self._ends), len(self._ends)), np.nan)
        seed = joined(job.seed, job.members[0].recipe.seed)
        accuracy[list(job.alive)] = self._world.accuracy(knobs, seed)
        task = self._saved.get(job.number, 0)
        self._begin(_Doing(job.number, list(job.alive), task, accuracy, self._clock.seconds))

    def _begin(self, doing: _Doing) -> None:
        """One task: how long it will take, and whether its worker will live to see the end."""
        seconds = self._world.seconds(self._members(doing), doing.task)
        if self._fleet.stragglers:
            seconds *= 1.0 + abs(self._rng.normal(0.0, self._fleet.stragglers))
        left = self._rng.exponential(HOUR / self._fleet.failures) if self._fleet.failures else None
        doing.dies = left is not None and left < seconds
        doing.seconds = left if left is not None and doing.dies else seconds
        doing.began = self._clock.seconds
        self._begun += 1
        heappush(self._due, (doing.began + doing.seconds, self._begun, doing))

    def _end(self, doing: _Doing) -> None:
        """What becomes of a job whose worker died, or finished a task of it."""
        usage = self.usage
        usage.busy, usage.wall = usage.busy + doing.seconds, self._clock.seconds
        if doing.dies:
            usage.deaths += 1
            self._study.fault(doing.job, DIED, "died")
            return
        doing.seats = self._study.tell(doing.job, self._records(doing))
        doing.task += 1
        if doing.seats and doing.task < len(self._ends):
            self._save(doing)
            self._begin(doing)

    def _save(self, doing: _Doing) -> None:
        """As a worker does: now and then, when a verdict has been carried out."""
        if self._clock.seconds - doing.saved_at > SECONDS_BETWEEN_CHECKPOINTS:
            self._saved[doing.job], doing.saved_at = doing.task, self._clock.seconds

    def _records(self, doing: _Doing) -> list[Record]:
        share = doing.seconds / len(doing.seats)
        return [_record(doing, seat, self._ends[doing.task], share) for seat in doing.seats]

    def _members(self, doing: _Doing) -> list[list[Mapping[str, Any]]]:
        """The knobs of the averages that still run, by member; members without any left out."""
        alive, seat, found = set(doing.seats), 0, []
        for member in self._study.history.jobs[doing.job].members:
            own = [c for s, c in enumerate(member, start=seat) if s in alive]
            seat += len(member)
            if own:
                found.append([self._knobs(c) for c in own])
        return found

    def _knobs(self, candidate: int) -> Mapping[str, Any]:
        return self._study.history.candidates[candidate].knobs


def _record(doing: _Doing, seat: int, step: int, share: float) -> Record:
    """What one seat measured; that it diverged, if the world has no number for it."""
    row = doing.accuracy[seat, doing.task, : doing.task + 1].tolist()
    well = bool(np.isfinite(row).all())
    return Record(
        seat=seat,
        task=doing.task,
        step=step,
        scores={"accuracy": tuple(row)} if well else {},
        seconds=share,
        failed=None if well else f"diverged: not finite after task {doing.task}",
    )
