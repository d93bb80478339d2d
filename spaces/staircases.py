"""Staircases: rows of two objectives of which none dominates another, sorted along the front."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from spaces.fronts import Costs
    from spaces.layers import Owners

Stretch: TypeAlias = "tuple[list[float], list[float], Owners]"
"""Rows in the order of a staircase: both costs, the second with its sign turned, and whose they are."""


class Staircase:
    """A layer of two objectives: what a row dominates in it, or is dominated by, lies together.

    Rows are sorted by their first cost; their second then falls. Whoever comes from the layer
    before is a stretch of that staircase, and what it pushes out of this one is a stretch again: a
    row here between its ends is dominated by someone there, the nearest of whom to its left is in
    the stretch. Each step is thus two bisections, however many rows move.
    """

    def __init__(self, objectives: int = 2) -> None:
        assert objectives == 2, objectives
        self._first: list[float] = []
        self._second: list[float] = []  # with the sign turned, so that it rises as the first does
        self._owners: Owners = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def beats(self, row: Costs) -> bool:
        first, second = row.tolist()
        at = bisect_right(self._first, first) - 1
        if at < 0 or self._second[at] < -second:
            return False
        return self._first[at] < first or self._second[at] > -second

    def crowd(self, rows: Costs, owners: Owners) -> Stretch:
        if len(owners) == 1:
            first, second = rows[0].tolist()
            return [first], [-second], [*owners]
        order = np.argsort(rows[:, 0])
        return (
            rows[order, 0].tolist(),
            (-rows[order, 1]).tolist(),
            [owners[i] for i in order.tolist()],
        )

    def uncrowd(self, crowd: Stretch) -> tuple[Costs, Owners]:
        first, second, owners = crowd
        return np.array([first, second], dtype=np.float64).T * (1.0, -1.0), owners

    def take(self, crowd: Stretch) -> Stretch | None:
        first, second, owners = crowd
        low = bisect_left(self._first, first[0])
        part = slice(low, bisect_right(self._second, second[-1], lo=low))
        pushed = self._first[part], self._second[part], self._owners[part]
        self._size += sum(map(len, owners))
        if pushed[0] and (pushed[0][0], pushed[1][0]) == (first[0], second[0]):
            self._owners[low] += owners[0]
            return None
        self._first[part], self._second[part], self._owners[part] = crowd
        self._size -= sum(map(len, pushed[2]))
        return pushed if pushed[0] else None

    def rows(self) -> tuple[Costs, Owners]:
        return self.uncrowd((self._first, self._second, self._owners))

    def owners(self) -> set[int]:
        return set(chain.from_iterable(self._owners))
