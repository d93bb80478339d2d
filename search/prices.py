"""Prices: the device-seconds that a job takes for a task, by how many students and averages share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """What a job has to do in a task: train ``members`` students and follow ``averages`` in all.

    ``strategy`` is the option of the space's choice of strategies, 0 where there is none.
    """

    strategy: int
    members: int
    averages: int
    task: int

    @property
    def parts(self) -> tuple[float, ...]:
        """A task, the making of the cohort with the first, students and averages, and what is judged of both."""
        judged = self.task + 1
        return (
            1.0,
            float(self.task == 0),
            float(self.members),
            float(self.averages),
            float(judged * self.members),
            float(judged * self.averages),
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """Seconds of each of a load's parts, by strategy: a job's are their sum, and none is negative.

    Fitted by non-negative least squares of relative errors.
    """

    seconds: Mapping[int, tuple[float, ...]]

    def of(self, load: Load) -> float:
        """Raises KeyError on a strategy that was not timed."""
        return float(np.dot(self.seconds[load.strategy], load.parts))

    @classmethod
    def fit(cls, timed: Iterable[tuple[Load, float]]) -> Prices:
        """Of loads and the seconds that they took, each positive."""
        kinds: dict[int, list[tuple[Load, float]]] = {}
        for load, seconds in timed:
            kinds.setdefault(load.strategy, []).append((load, seconds))
        return cls({kind: _fitted(rows) for kind, rows in sorted(kinds.items())})

    def errors(self, timed: Iterable[tuple[Load, float]]) -> Floats:
        """By how much of what it took each load is mistaken."""
        return np.array([self.of(load) / seconds - 1 for load, seconds in timed])

    def to_json(self) -> dict[str, Any]:
        return {str(kind): list(parts) for kind, parts in self.seconds.items()}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Prices:
        return cls({int(kind): tuple(parts) for kind, parts in told.items()})


def _fitted(rows: list[tuple[Load, float]]) -> tuple[float, ...]:
    relative = np.array([np.array(load.parts) / seconds for load, seconds in rows])
    found, _ = nnls(relative, np.ones(len(rows)))
    return tuple(float(part) for part in found)
