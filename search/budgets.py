"""Budgets: when a study has had enough, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field

from search.events import Measured, Outcome
from spaces.fronts import non_dominated
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from search.goals import Goals
    from search.history import History

Why: TypeAlias = Literal["candidates", "device_seconds", "wall_seconds", "gain"]

MOST = 1_000_000
"""Candidates of a study, if its budget names no number."""

PLANNED = 512
"""Candidates that are planned for a study whose budget names no number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain(Spec):
    """Too little to go on for: less than ``below`` is expected of the next ``over`` candidates.

    ``below`` is a share of the hypervolume so far (within the preferred region, if there is one).
    What is expected of the next ``over`` candidates is what the last ``over`` to end, pruned and
    failed ones included, have added. The rule is ours: a front grows ever more slowly, so that the
    last window rather promises too much, and a study goes on rather too long. It is first asked
    after two windows, and never of a study that had found nothing by the first of them.
    """

    below: Annotated[float, Field(gt=0, lt=1)]
    over: Annotated[int, Field(ge=1, le=MOST)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget(Spec):
    """What a study may spend; the first of these that is reached ends it. At least one is said.

    ``candidates`` are those measured, pruned and failed ones included. ``device_seconds`` are of
    training and evaluation in the workers, all together, as far as it was recorded.
    ``wall_seconds`` are the study's own: of all its drivers, from start to end of each, but not of
    the time between one and the next. ``gain`` says from what on going on is not worth it.

    Where ``candidates`` or ``gain`` end a study, what was begun is finished. Where seconds do,
    whatever runs is cut at the end of the task that it is at, and told as pruned: so a study is
    late by a task of one job at most (a worker's first begins with its start), and by what it takes
    to write its reports.
    """

    candidates: Annotated[int, Field(ge=1, le=MOST)] | None = None
    device_seconds: Annotated[float, Field(gt=0)] | None = None
    wall_seconds: Annotated[float, Field(gt=0)] | None = None
    gain: Gain | None = None

    def __post_init__(self) -> None:
        if not any((self.candidates, self.device_seconds, self.wall_seconds, self.gain)):
            raise ValueError(
                "at least one of candidates, device_seconds, wall_seconds and gain is due"
            )

    @property
    def most(self) -> int:
        """The most candidates that are ever drawn."""
        return self.candidates or MOST

    @property
    def planned(self) -> int:
        """Of so many candidates a plan is made."""
        return self.candidates or PLANNED

    def said(self) -> dict[str, Any]:
        """What a file says of it, as plain values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def told(self, why: str) -> str:
        """In words, what ended a study. ``why`` is one of ``Why``, or what a ledger says besides."""
        gain = self.gain
        words = {
            "candidates": f"{self.candidates} candidates were measured",
            "device_seconds": f"{_number(self.device_seconds)} device-seconds were spent",
            "wall_seconds": f"{_number(self.wall_seconds)} seconds had gone by",
        }
        if gain is not None:
            words["gain"] = (
                f"the last {gain.over} candidates added less than {gain.below:.2g} of the hypervolume"
            )
        return words.get(why, why)


class Spending:
    """What of a ``budget`` is spent, a function of what happened; and whether that is enough."""

    def __init__(self, budget: Budget, goals: Goals) -> None:
        self._budget, self._goals = budget, goals
        self.device_seconds = 0.0
        self._front = np.empty((0, len(goals.objectives.names)))
        self._volumes = [0.0]
        self._idle = False
        self._first: Why | None = None

    def replay(self, history: History) -> None:
        """Brings it to where the history is."""
        self.take(record for of in history.records.values() for record in of.values())
        self.take(o for o in history.outcomes.values() if not history.is_again(o))

    def take(self, events: Iterable[object]) -> None:
        """What happened next, in the order of the ledger. Repeats add no candidate, and no gain."""
        for event in events:
            if isinstance(event, Measured):
                self.device_seconds += event.seconds
            elif isinstance(event, Outcome) and self._budget.gain is not None:
                self._volumes.append(self._volume(event))
                self._idle = self._idle or self._is_idle(self._budget.gain)

    def over(self, now: Callable[[], float]) -> Why | None:
        """What was spent of time, so that whatever runs is to be cut; None while there is some."""
        budget = self._budget
        if budget.device_seconds is not None and self.device_seconds >= budget.device_seconds:
            return self._reached("device_seconds")
        if budget.wall_seconds is not None and now() >= budget.wall_seconds:
            return self._reached("wall_seconds")
        return None

    def enough(self, candidates: int, now: Callable[[], float]) -> Why | None:
        """Why no more than so many ``candidates`` are asked for; None if more are."""
        if self.over(now) is None and candidates < self._budget.most and not self._idle:
            return None
        return self._reached("gain" if self._idle else "candidates")

    @property
    def why(self) -> Why:
        """What was reached first."""
        return self._first or "candidates"

    def _reached(self, why: Why) -> Why:
        self._first = self._first or why
        return self._first

    def _is_idle(self, gain: Gain) -> bool:
        if len(self._volumes) <= 2 * gain.over:
            return False
        before, now = self._volumes[-1 - gain.over], self._volumes[-1]
        return before > 0 and now - before < gain.below * now

    def _volume(self, outcome: Outcome) -> float:
        """The hypervolume once ``outcome`` is known."""
        if outcome.state != "complete" or not self._goals.feasible(outcome.values):
            return self._volumes[-1]
        row = [[outcome.values[name] for name in self._goals.objectives.names]]
        costs = np.concatenate([self._front, self._goals.objectives.costs(row)])
        self._front = costs[non_dominated(costs)]
        return self._goals.served(self._front)


def _number(value: float | None) -> str:
    return "no" if value is None else f"{value:g}"
