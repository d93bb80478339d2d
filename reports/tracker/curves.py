"""The parent's metrics: what a study has found, outcome by outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.tracker.rows import STATUSES, Point, moment
from spaces.fronts import hypervolume, non_dominated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.events import Outcome
    from search.goals import Goals
    from search.history import History


class Curve:
    """The parent's metrics, a few for each outcome, in the order in which outcomes came.

    ``hypervolume`` and ``front_size`` are of the complete candidates (of the feasible ones of them), the step being how many;
    ``complete``, ``pruned``, ``failed`` and the seconds have the number of outcomes for a step.
    """

    def __init__(self, goals: Goals) -> None:
        self._goals, self._objectives = goals, goals.objectives
        self._front = np.empty((0, len(goals.objectives.names)))
        self._rows: dict[int, list[dict[str, float]]] = {}
        self._counts = dict.fromkeys(STATUSES, 0)
        self._seen, self._seconds = 0, 0.0

    def points(self, history: History) -> list[Point]:
        """Those of the outcomes that have come since the last call."""
        new = list(history.outcomes.values())[self._seen :]
        return [p for outcome in new for p in self._take(history, outcome)]

    def _take(self, history: History, outcome: Outcome) -> list[Point]:
        again = history.candidates[outcome.candidate].repeats
        self._seen += 1
        self._seconds += sum(r.seconds for r in history.records[outcome.candidate].values())
        at = moment(history.opened, outcome.at)
        points = [
            Point("study_seconds", outcome.at, self._seen, at),
            Point("device_seconds", self._seconds, self._seen, at),
        ]
        if again is not None:
            return [*points, *self._repeated(again, outcome, at)]
        self._counts[outcome.state] += 1
        points.append(Point(outcome.state, self._counts[outcome.state], self._seen, at))
        if outcome.state == "complete":
            self._rows[outcome.candidate] = [outcome.values]
            self._widen([outcome.values])
            points += self._now(at)
        return points

    def _repeated(self, candidate: int, outcome: Outcome, at: int) -> list[Point]:
        """The front anew: that of the means, but for who failed with a seed."""
        if outcome.state == "pruned" or candidate not in self._rows:
            return []
        self._rows[candidate].append(outcome.values)
        if outcome.state == "failed":
            del self._rows[candidate]
        self._front = self._front[:0]
        self._widen([_mean(values) for values in self._rows.values()])
        return self._now(at)

    def _widen(self, values: Sequence[Mapping[str, float]]) -> None:
        names = self._objectives.names
        rows = [[v[n] for n in names] for v in values if self._goals.feasible(v)]
        if rows:
            costs = np.concatenate([self._front, self._objectives.costs(np.array(rows))])
            self._front = costs[non_dominated(costs)]

    def _now(self, at: int) -> list[Point]:
        volume = hypervolume(self._front, self._objectives.reference_cost)
        step = self._counts["complete"]
        return [
            Point("hypervolume", volume, step, at),
            Point("front_size", len(self._front), step, at),
        ]


def _mean(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of the metrics that every one of ``values`` has."""
    first, *rest = values
    return {n: float(np.mean([v[n] for v in values])) for n in first if all(n in r for r in rest)}
