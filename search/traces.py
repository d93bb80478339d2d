"""Traces: how good a search was at every moment, against what it had cost by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spaces import fronts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeAlias

    from numpy.typing import NDArray

    from search.goals import Goals
    from search.history import History
    from spaces.fronts import Costs

    Curve: TypeAlias = NDArray[np.float64]
    """A measure of the front so far, as each full-stream candidate came. [n]"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The feasible full-stream candidates of a search as they came, as costs [n, objectives].

    When each came, the workers had spent ``seconds`` [n] on all that was told by then, and
    ``ended`` [n] candidates had an outcome, pruned and failed ones included.
    """

    costs: Costs
    seconds: Curve
    ended: NDArray[np.int64]

    @classmethod
    def of(cls, history: History, goals: Goals) -> Self:
        """Of a search that was run or simulated, finished or not."""
        objectives = goals.objectives
        records = [r for found in history.records.values() for r in found.values()]
        at = np.array([r.at for r in records])
        order = np.argsort(at, kind="stable")
        spent = np.concatenate([[0.0], np.cumsum([records[i].seconds for i in order])])
        feasible = history.feasible(goals)
        came = np.array([history.outcomes[c].at for c in feasible])
        place = {c: n for n, c in enumerate(history.outcomes, start=1)}
        return cls(
            costs=objectives.costs(history.values(feasible, objectives.names)),
            seconds=spent[np.searchsorted(at[order], came, side="right")],
            ended=np.array([place[c] for c in feasible], dtype=np.int64),
        )

    def hypervolumes(self, reference: Costs) -> Curve:
        """Up to ``reference`` [objectives]."""
        return self._curve(lambda front: fronts.hypervolume(front, reference))

    def epsilons(self, true: Costs) -> Curve:
        """Additive epsilon to the ``true`` front."""
        return self._curve(lambda front: fronts.additive_epsilon(front, true))

    def igds(self, true: Costs) -> Curve:
        """IGD+ to the ``true`` front."""
        return self._curve(lambda front: fronts.igd_plus(front, true))

    def front(self, seconds: float) -> Costs:
        """What was found for so many device-seconds. [n, objectives]."""
        found = self.costs[: self._known(seconds)]
        return found[fronts.non_dominated(found)]

    def after(self, curve: Curve, seconds: float, before: float) -> float:
        """What ``curve`` says once so many device-seconds were spent; ``before`` if nothing yet."""
        known = self._known(seconds)
        return float(curve[known - 1]) if known else before

    def reaches(self, curve: Curve, level: float) -> float:
        """The device-seconds until ``curve`` was first at ``level`` or above; infinite if never."""
        there = np.flatnonzero(curve >= level)
        return float(self.seconds[there[0]]) if len(there) else np.inf

    def _known(self, seconds: float) -> int:
        return int(np.searchsorted(self.seconds, seconds, side="right"))

    def _curve(self, measure: Callable[[Costs], float]) -> Curve:
        """``measure`` of the front so far; it is worked out only when the front changes."""
        out, front, value = np.empty(len(self.costs)), self.costs[:0], np.nan
        for k, new in enumerate(self.costs):
            if not (front <= new).all(axis=1).any():
                front = np.vstack([front[~(new <= front).all(axis=1)], new])
                value = measure(front)
            out[k] = value
        return out
