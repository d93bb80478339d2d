"""Layers: the non-dominated ranks of a set that grows, known for the best of it alone.

Layer k holds the rows of rank k. A row that comes in takes its place in the first layer where none
dominates it, and pushes those that it dominates there one layer on, who do the same in turn. Only
as many layers are kept as were ever asked for; what lies behind them waits unsorted. So a row costs
about as many short steps as it moves layers, not a ranking of all (``benchmarks/rungs.py``).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from spaces import fronts
from spaces.staircases import Staircase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spaces.fronts import Costs

Counts: TypeAlias = "NDArray[np.int64]"


class Layer(Protocol):
    """Distinct rows of which none dominates another, each with how often it was seen."""

    def beats(self, row: Costs) -> bool:
        """Whether one of its rows dominates ``row``."""
        ...

    def take(self, crowd: Any) -> Any:
        """Enters a crowd of rows of which none dominates another and that it does not beat.

        Returns those that they dominate, which it no longer has; None if there are none.
        """
        ...

    def crowd(self, rows: Costs, counts: Counts) -> Any:
        """Rows [n, objectives], n > 0, as it takes them and gives them away."""
        ...

    def uncrowd(self, crowd: Any) -> tuple[Costs, Counts]:
        """What ``crowd`` was made of."""
        ...

    def rows(self) -> tuple[Costs, Counts]:
        """Its rows [n, objectives], in no certain order, and how often each was seen [n]."""
        ...

    def __len__(self) -> int:
        """How many rows there are, each as often as it was seen."""
        ...


class Layers:
    """The rows that came in, finite float64 of so many ``objectives``, by their rank."""

    def __init__(self, objectives: int) -> None:
        self._make = Staircase if objectives == 2 else Antichain
        self._layers: list[Layer] = []
        self._behind, self._late = np.empty((0, objectives)), [np.empty((0, objectives))]
        self._size = 0

    def __len__(self) -> int:
        """How many rows came in."""
        return self._size

    def add(self, rows: Costs) -> None:
        """Enters ``rows`` [n, objectives]."""
        self._size += len(rows)
        if not self._layers:
            self._late.append(rows)
            return
        for row in rows:
            self._enter(row)

    def last(self, room: int) -> tuple[int, int]:
        """The rank of the ``room``-th best row, 1 <= room <= n, and how many have a lower rank."""
        sizes = list(accumulate(map(len, self._layers)))
        if not sizes or sizes[-1] < room:
            self._sort(room - (sizes[-1] if sizes else 0))
            sizes = list(accumulate(map(len, self._layers)))
        rank = int(np.searchsorted(sizes, room))
        return rank, sizes[rank - 1] if rank else 0

    def rank(self, row: Costs) -> int:
        """The rank of a ``row`` that came in; the number of layers kept if it lies behind them."""
        low, high = 0, len(self._layers)
        while low < high:
            middle = (low + high) // 2
            if self._layers[middle].beats(row):
                low = middle + 1
            else:
                high = middle
        return low

    def rows(self, rank: int) -> tuple[Costs, Counts]:
        """The distinct rows of a ``rank`` whose layer is kept, and how often each came in."""
        return self._layers[rank].rows()

    def _enter(self, row: Costs) -> None:
        layers = self._layers[self.rank(row) :]
        crowd = self._layers[0].crowd(row[None], np.ones(1, dtype=np.int64))
        for layer in layers:
            crowd = layer.take(crowd)
            if crowd is None:
                return
        self._late.append(np.repeat(*self._layers[0].uncrowd(crowd), axis=0))

    def _sort(self, wanted: int) -> None:
        """Makes layers of what lies behind until they hold ``wanted`` rows more."""
        behind = np.concatenate([self._behind, *self._late])
        rank = fronts.ranks(behind)
        last = np.partition(rank, wanted - 1)[wanted - 1]
        for k in range(last + 1):
            rows, counts = np.unique(behind[rank == k], axis=0, return_counts=True)
            layer: Layer = self._make(behind.shape[1])
            layer.take(layer.crowd(rows, counts))
            self._layers.append(layer)
        self._behind, self._late = behind[rank > last], []


class Antichain:
    """A layer for any number of objectives: every row is compared."""

    def __init__(self, objectives: int) -> None:
        self._rows = np.empty((0, objectives))
        self._counts = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def beats(self, row: Costs) -> bool:
        within = self._rows[(self._rows <= row).all(axis=1)]
        return bool((within < row).any())

    def crowd(self, rows: Costs, counts: Counts) -> tuple[Costs, Counts]:
        return rows, counts

    def uncrowd(self, crowd: tuple[Costs, Counts]) -> tuple[Costs, Counts]:
        return crowd

    def take(self, crowd: tuple[Costs, Counts]) -> tuple[Costs, Counts] | None:
        rows, counts = crowd
        beaten, new = np.zeros(len(self._rows), dtype=bool), np.ones(len(rows), dtype=bool)
        for i, row in enumerate(rows):
            behind = (self._rows >= row).all(axis=1)
            equal = behind & (self._rows == row).all(axis=1)
            self._counts[equal] += counts[i]
            new[i] = not equal.any()
            beaten |= behind & ~equal
        pushed = self._rows[beaten], self._counts[beaten]
        self._rows = np.concatenate([self._rows[~beaten], rows[new]])
        self._counts = np.concatenate([self._counts[~beaten], counts[new]])
        return pushed if len(pushed[0]) else None

    def rows(self) -> tuple[Costs, Counts]:
        return self._rows, self._counts
