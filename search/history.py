"""The history: what a ledger's events add up to. The same events give the same history."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from search.events import Asked, Ended, Event, Fault, Measured, Opened, Outcome, Queued, Resumed
from spaces.fronts import hypervolume, non_dominated
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from search.goals import Goals


_SORTED = json.JSONEncoder(sort_keys=True)


@dataclass(slots=True)
class History:
    """Candidates, jobs, records and outcomes by number, in the order in which they happened.

    Students are numbered as they were first asked for: candidates of one recipe share theirs.
    """

    opened: Opened
    candidates: dict[int, Asked] = field(default_factory=dict)
    jobs: dict[int, Queued] = field(default_factory=dict)
    job_of: dict[int, int] = field(default_factory=dict)
    student_of: dict[int, int] = field(default_factory=dict)
    records: dict[int, dict[int, Measured]] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    repeats: dict[int, list[int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    ended: Ended | None = None
    seconds: float = 0.0
    _students: dict[str, int] = field(default_factory=dict)
    _latest: tuple[Any, int] = field(default=(None, 0), repr=False, compare=False)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Raises SpecError if the events do not tell of one study from its start."""
        stream = iter(events)
        opened = next(stream, None)
        if not isinstance(opened, Opened):
            raise SpecError(["the ledger does not begin with its study"])
        history = cls(opened)
        for event in stream:
            history.add(event)
        return history

    def add(self, event: Event) -> None:
        """Takes in the next event. A second record or outcome of the same thing changes nothing.

        Raises SpecError on what cannot follow: no ledger that Equipoise wrote has that.
        """
        match event:
            case Measured():  # first, being the most
                self._refuse_strangers(event, event.candidate)
                self.records[event.candidate].setdefault(event.task, event)
            case Outcome():
                self._refuse_strangers(event, event.candidate)
                self.outcomes.setdefault(event.candidate, event)
            case Asked():
                if event.repeats is not None:
                    self._refuse_strangers(event, event.repeats)
                self.candidates[event.candidate] = event
                self.records.setdefault(event.candidate, {})
                self._group(event)
            case Queued():
                self._refuse_strangers(event, *event.candidates)
                self.jobs[event.job] = event
                self.job_of |= dict.fromkeys(event.candidates, event.job)
            case Opened():
                raise SpecError(["the ledger opens a second study"])
            case Fault():
                self.faults.append(event)
            case Ended():
                self.ended = event
            case Resumed():
                self.ended = None
        self.seconds = max(self.seconds, getattr(event, "at", 0.0))

    def _group(self, asked: Asked) -> None:
        """Puts a candidate to those that share its student, or to the one that it repeats."""
        if asked.repeats is not None:
            self.repeats.setdefault(asked.repeats, []).append(asked.candidate)
            return
        recipe = asked.config.get("recipe")
        if recipe is None or recipe is not self._latest[0]:  # averages of a student share it
            text = _SORTED.encode(recipe)
            self._latest = recipe, self._students.setdefault(text, len(self._students))
        self.student_of[asked.candidate] = self._latest[1]

    def _refuse_strangers(self, event: Event, *named: int) -> None:
        for candidate in named:
            if candidate not in self.candidates:
                raise SpecError(
                    [f"the ledger's {event.event} of candidate {candidate}: it was never asked for"]
                )

    def rows(self, candidate: int) -> list[tuple[float, ...]]:
        """The accuracy matrix of ``candidate`` so far: row k is tasks 0..k after task k."""
        records = self.records[candidate]
        return [records[k].accuracy for k in sorted(records)]

    def scores(self, candidate: int) -> list[dict[str, tuple[float, ...]]]:
        """All that was measured of ``candidate`` after each task so far."""
        records = self.records[candidate]
        found = [records[k] for k in sorted(records)]
        return [{"accuracy": r.accuracy, **r.measures} for r in found]

    def in_state(self, state: str) -> list[int]:
        """Candidates whose outcome is ``state``, in the order in which they got it; no repeats."""
        return [c for c, o in self.outcomes.items() if o.state == state and self.is_drawn(c)]

    def running(self) -> list[int]:
        """Candidates asked for and not yet ended, repeats among them."""
        return [c for c in self.candidates if c not in self.outcomes]

    def unfinished_jobs(self) -> list[Queued]:
        """Jobs that still owe the outcome of a candidate, oldest first."""
        owed = {self.job_of[c] for c in self.running() if c in self.job_of}
        return [self.jobs[j] for j in sorted(owed)]

    def alive(self, job: int) -> list[int]:
        """The candidates of ``job`` that still run, in the order of its seats."""
        return [
            c for c in self.jobs[job].candidates if c not in self.outcomes and self.job_of[c] == job
        ]

    def device_seconds(self) -> float:
        """Training and evaluation in the workers, over all candidates."""
        return sum(r.seconds for records in self.records.values() for r in records.values())

    def is_drawn(self, candidate: int) -> bool:
        """Whether it is a candidate of its own and repeats no other."""
        return self.candidates[candidate].repeats is None

    def is_again(self, event: Event) -> bool:
        """Whether it is the outcome of a repeat."""
        return isinstance(event, Outcome) and not self.is_drawn(event.candidate)

    @property
    def drawn(self) -> int:
        """How many candidates were drawn: the budget counts these."""
        return len(self.candidates) - sum(map(len, self.repeats.values()))

    def trainings(self, candidate: int) -> list[int]:
        """``candidate`` and those that repeat it."""
        return [candidate, *self.repeats.get(candidate, ())]

    def all_values(self, candidate: int, names: Sequence[str]) -> np.ndarray:
        """Final metrics of each of its trainings that has ended. Float64 [trainings, names].

        Without those that were cut when the time was over. NaN where one is not defined: in all of a training that failed.
        """
        ended = [t for t in self.trainings(candidate) if self._is_whole(t)]
        table = [[self.outcomes[t].values.get(n, np.nan) for n in names] for t in ended]
        return np.array(table, dtype=np.float64).reshape(len(ended), len(names))

    def _is_whole(self, candidate: int) -> bool:
        return candidate in self.outcomes and self.outcomes[candidate].state != "pruned"

    def values(self, candidates: Sequence[int], names: Sequence[str]) -> np.ndarray:
        """Final metrics, means over a candidate's seeds. Float64 [candidates, names].

        NaN where one is not defined, and where one of its seeds failed.
        """
        table = [[self.outcomes[c].values.get(n, np.nan) for n in names] for c in candidates]
        means = np.array(table, dtype=np.float64).reshape(len(candidates), len(names))
        for row, c in enumerate(candidates):
            if c in self.repeats:
                means[row] = self.all_values(c, names).mean(axis=0)
        return means

    def errors(self, candidate: int, names: Sequence[str]) -> dict[str, float]:
        """The standard error of each mean, by metric; none of a candidate that has one seed."""
        values = self.all_values(candidate, names)
        if len(values) < 2:
            return {}
        found = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        return dict(zip(names, map(float, found), strict=True))

    def finals(self) -> dict[int, dict[str, float]]:
        """The metrics of full streams, means over seeds, in the order of the candidates' outcomes.

        Left out is who failed with one of its seeds.
        """
        found = {c: self.final(c) for c in self.in_state("complete")}
        return {c: values for c, values in found.items() if values}

    def final(self, candidate: int) -> dict[str, float]:
        """The metrics of a full stream, means over seeds; nothing if one of them failed."""
        first = self.outcomes[candidate].values
        if candidate not in self.repeats:
            return first
        means = self.all_values(candidate, tuple(first)).mean(axis=0).tolist()
        return {n: mean for n, mean in zip(first, means, strict=True) if not isnan(mean)}

    def feasible(self, goals: Goals) -> list[int]:
        """Candidates in ``finals`` that keep every constraint, of those with further seeds the means."""
        finals = self.finals()
        if not goals.constraints:
            return list(finals)
        return [c for c, values in finals.items() if goals.feasible(values)]

    def front(self, goals: Goals) -> list[int]:
        """Feasible candidates that no other of them beats on every objective, by number."""
        feasible, objectives = sorted(self.feasible(goals)), goals.objectives
        on = non_dominated(objectives.costs(self.values(feasible, objectives.names)))
        return [c for c, keep in zip(feasible, on, strict=True) if keep]

    def hypervolume(self, goals: Goals) -> float:
        """Of the front, against the objectives' reference; 0 while nothing is complete and feasible."""
        objectives = goals.objectives
        values = self.values(self.feasible(goals), objectives.names)
        return hypervolume(objectives.costs(values), objectives.reference_cost)

    def counts(self) -> dict[str, int]:
        """How many candidates there are, and in which state; how many trainings repeat some."""
        states = {s: len(self.in_state(s)) for s in ("complete", "pruned", "failed")}
        running = sum(map(self.is_drawn, self.running()))
        found = {"candidates": self.drawn, **states, "running": running}
        repeats = len(self.candidates) - self.drawn
        return {**found, "repeats": repeats} if repeats else found
