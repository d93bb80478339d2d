"""A study: what is asked next, and what is told. Trains nothing itself."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from search.aims import evaluation_of
from search.albums import album, sweep
from search.anchors import ANCHOR, anchors_of
from search.asking import FREE, REFUSED_AT_FIRST, wave
from search.budgets import Spending
from search.events import Asked, Ended, Event, Fault, Outcome, Queued
from search.faults import parted, shrunk
from search.jobs import Job, device_of
from search.plans import Candidate, fold
from search.repeats import asked, due
from search.results import Results
from search.room import BOUNDLESS, Room, Scales
from search.samplers.suggestions import Suggestions
from search.stopwatches import Stopwatch
from trainables.cohort import Member
from trainables.recipes import program

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from pathlib import Path

    from search.asking import Held
    from search.events import FaultKind
    from search.history import History
    from search.ledger import Memory
    from search.plans import Crew
    from search.samplers.suggestions import Drawn
    from search.studyfile import StudyFile
    from trainables.runs import Record

DEATHS_FORGIVEN = 2
"""How often a job is simply tried again after its worker died, before it counts as its fault."""


class Study:
    """Hands out jobs and takes in records, in whatever order engines ask and tell.

    All it knows it has from the ledger: made anew from the ledger's events, it goes on as the study
    that wrote them would have (``tests/search/test_study.py``).
    """

    def __init__(
        self,
        file: StudyFile,
        ledger: Memory,
        history: History,
        now: Callable[[], float],
        room: Room = BOUNDLESS,
    ) -> None:
        self.file, self.history, self.room = file, history, room
        self._goals = file.goals
        self.directory = ledger.directory
        self._ledger, self._now = ledger, now
        self._evaluation = evaluation_of(file)
        self._scales = Scales.of(file)
        self._suggestions = Suggestions(file.sampler, file.space, file.objectives, file.seed)
        self._anchors = deque(anchors_of(file).asked)
        self._results = Results(file, history)
        self.spending = Spending(file.budget, file.goals)
        self._replay()
        self._queue = deque(q.job for q in history.unfinished_jobs())
        self.asking = Stopwatch()

    # --- asking -------------------------------------------------------------------------------

    def next_job(self) -> Job | None:
        """The next job, or None if there is none now: see ``done``."""
        with self.asking:
            return self._next_job()

    def _next_job(self) -> Job | None:
        self._cut(*self._queue)
        if not self._queue:
            self._repeat()
        while not self._queue and not self._drawn_out:
            self._draw()
        return self._job(self._queue.popleft()) if self._queue else None

    @property
    def done(self) -> bool:
        """Every candidate that will be drawn was, has its outcome, and need not be repeated."""
        ended = self._drawn_out and not self._queue and not self.history.running()
        return ended and not self._due()

    @property
    def _drawn_out(self) -> bool:
        drawn = self.history.drawn
        return self._hopeless or self.spending.enough(drawn, self._now) is not None

    @property
    def _hopeless(self) -> bool:
        """Whether many candidates were drawn, and none that could be trained."""
        return not self.history.jobs and len(self.history.candidates) >= REFUSED_AT_FIRST

    def _draw(self) -> None:
        """Asks for one wave of students, each with its averages, and queues their jobs.

        A combination of knobs that cannot be trained fails here.
        """
        known = len(self.history.candidates)
        new = [
            Asked(candidate=number, knobs=drawn.knobs, config=drawn.filled, attrs=drawn.attrs)
            for number, drawn in wave(
                self.file,
                known,
                self._propose,
                begin=self._begin,
                repeats=known - self.history.drawn,
            )
        ]
        refused = {a.candidate: why for a in new if (why := self.file.refusals(a.config))}
        crews = self._folded([a for a in new if a.candidate not in refused])
        self._append(*new, *self._refused(refused), *self._queued(crews))

    def _folded(self, asked: Sequence[Asked]) -> list[Crew]:
        return fold(
            [self._candidate(a) for a in asked],
            most_members=self.file.fold.members,
            fits=self._scales.fits(self.room, shrunk(self.history, self._program)),
            rows=self._scales.rows,
        )

    def _repeat(self) -> None:
        """Queues repeats: as soon as they are as many students as a wave, or nothing else is left."""
        repeated = self._due()
        students = {self.history.student_of[c] for c in repeated}
        if repeated and (self._drawn_out or len(students) >= self.file.fold.members):
            further = asked(self.history, repeated)
            self._append(*further, *self._queued(self._folded(further)))

    def _due(self) -> list[int]:
        said = self.file.repeats
        if said is None or self.spending.over(self._now) is not None:
            return []
        return due(self.history, self.file.goals, said)

    def _refused(self, why: Mapping[int, Mapping[str, str]]) -> list[Outcome]:
        reasons = {c: f"refused: {'; '.join(told.values())}" for c, told in why.items()}
        return [self._failed(c, reason, self._now()) for c, reason in reasons.items()]

    def _propose(self, number: int, held: Held) -> Drawn:
        return self._suggestions.ask(number, held.knobs, held.parts)

    def _begin(self, number: int) -> Drawn:
        """The next anchor, marked as such; when all were asked for, what the sampler draws."""
        if not self._anchors:
            return self._propose(number, FREE)
        anchor = self._anchors.popleft()
        drawn = self._suggestions.ask(number, anchor.knobs)
        return replace(drawn, attrs=drawn.attrs | {ANCHOR: anchor.name})

    def _program(self, candidate: int) -> Hashable:
        return program(self._candidate(self.history.candidates[candidate]).recipe)

    def _queued(self, crews: Sequence[Crew]) -> list[Queued]:
        first = len(self.history.jobs)
        return [
            Queued(job=first + k, members=crew, seed=self.file.seed) for k, crew in enumerate(crews)
        ]

    def _candidate(self, asked: Asked) -> Candidate:
        return Candidate(asked.candidate, *self.file.candidate(asked.config))

    def _job(self, number: int) -> Job:
        queued = self.history.jobs[number]
        alive = set(self.history.alive(number))
        return Job(
            number=number,
            members=tuple(self._member(numbers) for numbers in queued.members),
            alive=tuple(s for s, c in enumerate(queued.candidates) if c in alive),
            scenario=self.file.scenario,
            seed=queued.seed,
            device=device_of(self.file),
            threads=max(1, int(self.file.resources.cpu)),
            checkpoint=self._checkpoint(number),
            evaluation=self._evaluation,
            album=album(self.file, self.directory, number),
        )

    def _checkpoint(self, job: int) -> Path:
        return self.directory / "checkpoints" / f"job-{job:06d}.pt"

    def _member(self, numbers: tuple[int, ...]) -> Member:
        made = [self.file.candidate(self.history.candidates[n].config) for n in numbers]
        return Member(made[0][0], tuple(averager for _, averager in made))

    # --- telling ------------------------------------------------------------------------------

    def tell(self, job: int, records: Sequence[Record]) -> list[int]:
        """Takes in what a job measured after one task. The seats that go on; none: it is over."""
        numbers = self.history.jobs[job].candidates
        news = {numbers[r.seat]: r for r in records if numbers[r.seat] not in self.history.outcomes}
        self._append(*self._results.events(news, self._now()))
        self._cut(job)
        if not self.history.alive(job):
            self._checkpoint(job).unlink(missing_ok=True)
        self._sweep(job)
        return [r.seat for c, r in news.items() if c not in self.history.outcomes]

    # --- faults and the end -------------------------------------------------------------------

    def fault(self, job: int, reason: str, kind: FaultKind = "raised") -> None:
        """A job ended before its time, for ``reason``.

        One that raises is parted into its members, so that only the guilty one fails; one that ran
        out of memory, into halves. A death is forgiven ``DEATHS_FORGIVEN`` times. What cannot be
        parted fails with the reason.
        """
        at = self._now()
        event = Fault(job=job, reason=reason, at=at, kind=kind)
        deaths = Counter(f.job for f in self.history.faults)[job]
        crews = parted(self._alive_members(job), kind)
        if kind == "died" and deaths < DEATHS_FORGIVEN:
            self._append(event)
            self._queue.append(job)
        elif len(crews) > 1:
            self._append(event, *self._queued(crews))
            self._checkpoint(job).unlink(missing_ok=True)
        else:
            self._append(event, *(self._failed(c, reason, at) for c in self.history.alive(job)))
        self._sweep(job)

    def _cut(self, *jobs: int) -> None:
        """Ends what is alive in ``jobs``, if the study's time is over, as pruned after what it did."""
        if not jobs or (why := self.spending.over(self._now)) is None:
            return
        alive = [c for job in jobs for c in self.history.alive(job)]
        at, reason = self._now(), f"cut: {self.file.budget.told(why)}"
        self._append(*(self._results.cut(c, reason, at) for c in alive))
        self._queue = deque(job for job in self._queue if job not in jobs)
        for job in jobs:
            self._checkpoint(job).unlink(missing_ok=True)
            self._sweep(job)

    def _sweep(self, job: int) -> None:
        if self.file.snapshots is not None:
            sweep(self.directory, self.history, job)

    def _alive_members(self, job: int) -> Crew:
        """The members of ``job`` that still run, without their averages that do not."""
        alive = set(self.history.alive(job))
        members = (tuple(c for c in m if c in alive) for m in self.history.jobs[job].members)
        return tuple(m for m in members if m)

    def _failed(self, candidate: int, reason: str, at: float) -> Outcome:
        task = len(self.history.records.get(candidate, ()))
        return Outcome(
            candidate=candidate, state="failed", values={}, task=task, at=at, reason=reason
        )

    def end(self) -> None:
        """Writes that nothing more will come."""
        why = "refused" if self._hopeless else self.spending.why
        self._append(Ended(reason=why, at=self._now()))

    # --- the one place where anything changes ---------------------------------------------------

    def _append(self, *events: Event) -> None:
        """First the ledger, then everything that is a function of it."""
        if not events:
            return
        self._ledger.append(*events)
        for event in events:
            self.history.add(event)
            if isinstance(event, Queued):
                self._queue.append(event.job)
            if isinstance(event, Outcome):
                self._inform(event)
        if self.history.repeats:
            events = tuple(e for e in events if not self.history.is_again(e))
        self.spending.take(events)

    def _inform(self, outcome: Outcome) -> None:
        goals, repeats = self._goals, self.history.candidates[outcome.candidate].repeats
        if repeats is not None:
            if means := self.history.final(repeats):
                self._suggestions.revise(repeats, goals.told(means), goals.limits(means))
            return
        complete = outcome.state == "complete"
        values = goals.told(outcome.values) if complete else None
        limits = goals.limits(outcome.values) if complete else goals.beyond_limits
        at_rungs = {} if outcome.state == "failed" else self._results.at_rungs(outcome.candidate)
        self._suggestions.tell(outcome.candidate, outcome.state, values, limits, at_rungs=at_rungs)

    def _replay(self) -> None:
        """Brings the sampler and the rungs to where the history is."""
        for known in self.history.opened.known:
            goals, values = self._goals, known["values"]
            self._suggestions.know(known["knobs"], goals.told(values), goals.limits(values))
        for drawn in self.history.candidates.values():
            if drawn.repeats is None:
                self._suggestions.replay(drawn.candidate, drawn.knobs, drawn.attrs)
            if ANCHOR in drawn.attrs:
                self._anchors.popleft()
        for outcome in self.history.outcomes.values():
            self._inform(outcome)
        self._results.replay()
        self.spending.replay(self.history)
