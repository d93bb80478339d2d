"""The history: what a ledger's events add up to. The same events give the same history."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from search.events import Asked, Ended, Event, Fault, Measured, Opened, Outcome, Queued, Resumed
from spaces.fronts import hypervolume, non_dominated
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from search.goals import Goals


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
    faults: list[Fault] = field(default_factory=list)
    ended: Ended | None = None
    seconds: float = 0.0
    _students: dict[str, int] = field(default_factory=dict)

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
        self._refuse_stranger(event)
        self.seconds = max(self.seconds, getattr(event, "at", 0.0))
        match event:
            case Asked():
                self.candidates[event.candidate] = event
                self.records.setdefault(event.candidate, {})
                recipe = json.dumps(event.config.get("recipe"), sort_keys=True)
                student = self._students.setdefault(recipe, len(self._students))
                self.student_of[event.candidate] = student
            case Queued():
                self.jobs[event.job] = event
                self.job_of |= dict.fromkeys(event.candidates, event.job)
            case Measured():
                self.records[event.candidate].setdefault(event.task, event)
            case Outcome():
                self.outcomes.setdefault(event.candidate, event)
            case Fault():
                self.faults.append(event)
            case Ended():
                self.ended = event
            case Resumed():
                self.ended = None

    def _refuse_stranger(self, event: Event) -> None:
        match event:
            case Opened():
                raise SpecError(["the ledger opens a second study"])
            case Queued():
                named = event.candidates
            case Measured() | Outcome():
                named = (event.candidate,)
            case _:
                return
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
        """Candidates whose outcome is ``state``, in the order in which they got it."""
        return [c for c, o in self.outcomes.items() if o.state == state]

    def running(self) -> list[int]:
        """Candidates asked for and not yet ended."""
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

    def values(self, candidates: Sequence[int], names: Sequence[str]) -> np.ndarray:
        """Final metrics, NaN where one is not defined. Float64 [candidates, names]."""
        table = [[self.outcomes[c].values.get(n, np.nan) for n in names] for c in candidates]
        return np.array(table, dtype=np.float64).reshape(len(candidates), len(names))

    def finals(self) -> dict[int, dict[str, float]]:
        """The metrics of full streams, by candidate, in the order of their outcomes."""
        return {c: self.outcomes[c].values for c in self.in_state("complete")}

    def feasible(self, goals: Goals) -> list[int]:
        """Full-stream candidates that keep every constraint, in the order of their outcomes."""
        complete = self.in_state("complete")
        if not goals.constraints:
            return complete
        return [c for c in complete if goals.feasible(self.outcomes[c].values)]

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
        """How many candidates there are, and in which state."""
        states = {s: len(self.in_state(s)) for s in ("complete", "pruned", "failed")}
        return {"candidates": len(self.candidates), **states, "running": len(self.running())}
