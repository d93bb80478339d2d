"""Layers: the non-dominated ranks of a set that grows, known for the best of it alone.

Layer k holds the rows of rank k. A row that comes in takes its place in the first layer where none
dominates it, and pushes those that it dominates there one layer on, who do the same in turn. Only
as many layers are kept as were ever asked for; what lies behind them waits unsorted. So a row costs
about as many short steps as it moves layers, not a ranking of all (``benchmarks/rungs.py``).

Each row has an owner, who may have many: an owner is as good as the best of its rows.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import accumulate, chain, compress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from spaces import fronts
from spaces.staircases import Staircase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spaces.fronts import Costs

Owners: TypeAlias = "list[tuple[int, ...]]"
"""Of distinct rows, whose each is: an owner as often as it came in with that row."""


class Layer(Protocol):
    """Distinct rows of which none dominates another, each with its owners."""

    def beats(self, row: Costs) -> bool:
        """Whether one of its rows dominates ``row``."""
        ...

    def take(self, crowd: Any) -> Any:
        """Enters a crowd of rows of which none dominates another and that it does not beat.

        Returns those that they dominate, which it no longer has; None if there are none.
        """
        ...

    def crowd(self, rows: Costs, owners: Owners) -> Any:
        """Rows [n, objectives], n > 0, as it takes them and gives them away."""
        ...

    def uncrowd(self, crowd: Any) -> tuple[Costs, Owners]:
        """What ``crowd`` was made of."""
        ...

    def rows(self) -> tuple[Costs, Owners]:
        """Its rows [n, objectives], in no certain order, and whose each is [n]."""
        ...

    def owners(self) -> set[int]:
        """Whoever has a row here."""
        ...

    def __len__(self) -> int:
        """How many rows there are, each as often as it came in."""
        ...


class Cut(NamedTuple):
    """Where the best owners end: at a ``rank``, of which some of them are.

    ``better`` owners have a lower rank. They are ``owners`` where rows are shared; else nobody is,
    and a row's rank says it.
    """

    rank: int
    better: int
    owners: AbstractSet[int]


class Layers:
    """The rows that came in, finite float64 of so many ``objectives``, by their rank."""

    def __init__(self, objectives: int) -> None:
        self._make = Staircase if objectives == 2 else Antichain
        self._layers: list[Layer] = []
        self._behind, self._late = np.empty((0, objectives)), [np.empty((0, objectives))]
        self._behind_of: list[int] = []
        self.owners: set[int] = set()
        """Whose rows came in."""
        self._size = 0

    def __len__(self) -> int:
        """How many rows came in."""
        return self._size

    def add(self, rows: Costs, owners: Sequence[int]) -> None:
        """Enters ``rows`` [n, objectives] of ``owners`` [n]."""
        self._size += len(rows)
        self.owners.update(owners)
        if not self._layers:
            self._wait(rows, owners)
            return
        for row, owner in zip(rows, owners, strict=True):
            self._enter(row, owner)

    def cut(self, room: int, *, shared: bool = True) -> Cut:
        """Where the ``room``-th best owner is, 1 <= room <= owners.

        Where nothing is ``shared``, every owner has one row and rows are counted.
        """
        return self._among_many(room) if shared else self._alone(room)

    def _alone(self, room: int) -> Cut:
        sizes = list(accumulate(map(len, self._layers)))
        if not sizes or sizes[-1] < room:
            self._sort(room - (sizes[-1] if sizes else 0))
            sizes = list(accumulate(map(len, self._layers)))
        rank = int(np.searchsorted(sizes, room))
        return Cut(rank, sizes[rank - 1] if rank else 0, frozenset())

    def _among_many(self, room: int) -> Cut:
        before: set[int] = set()
        rank = 0
        while True:
            if rank == len(self._layers):
                self._sort(room - len(before))
            here = self._layers[rank].owners() - before
            if len(before) + len(here) >= room:
                return Cut(rank, len(before), before)
            before |= here
            rank += 1

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

    def is_before(self, rank: int, row: Costs) -> bool:
        """Whether a ``row`` that came in is of a lower rank than ``rank``, whose layer is kept."""
        # Whoever is of this rank or behind it is dominated by someone in the layer before it.
        return rank > 0 and not self._layers[rank - 1].beats(row)

    def owners_at(self, rank: int) -> set[int]:
        """Whoever has a row of a ``rank`` whose layer is kept."""
        return self._layers[rank].owners()

    def rows(self, rank: int) -> tuple[Costs, Owners]:
        """The distinct rows of a ``rank`` whose layer is kept, and whose each is."""
        return self._layers[rank].rows()

    def _enter(self, row: Costs, owner: int) -> None:
        if self._layers[-1].beats(row):  # as most are
            self._wait(row[None], (owner,))
            return
        layers = self._layers[self.rank(row) :]
        crowd = self._layers[0].crowd(row[None], [(owner,)])
        for layer in layers:
            crowd = layer.take(crowd)
            if crowd is None:
                return
        rows, owners = self._layers[0].uncrowd(crowd)
        self._wait(np.repeat(rows, list(map(len, owners)), axis=0), chain.from_iterable(owners))

    def _wait(self, rows: Costs, owners: Iterable[int]) -> None:
        self._late.append(rows)
        self._behind_of += owners

    def _sort(self, wanted: int) -> None:
        """Makes layers of what lies behind until they hold ``wanted`` rows more."""
        behind = np.concatenate([self._behind, *self._late])
        rank, of = fronts.ranks(behind), np.array(self._behind_of, dtype=np.int64)
        last = np.partition(rank, wanted - 1)[wanted - 1]
        for k in range(last + 1):
            rows, which = np.unique(behind[rank == k], axis=0, return_inverse=True)
            owners: list[list[int]] = [[] for _ in rows]
            for row, owner in zip(which.ravel().tolist(), of[rank == k].tolist(), strict=True):
                owners[row].append(owner)
            layer: Layer = self._make(behind.shape[1])
            layer.take(layer.crowd(rows, list(map(tuple, owners))))
            self._layers.append(layer)
        self._behind, self._late = behind[rank > last], []
        self._behind_of = of[rank > last].tolist()


class Antichain:
    """A layer for any number of objectives: every row is compared."""

    def __init__(self, objectives: int) -> None:
        self._rows = np.empty((0, objectives))
        self._owners: Owners = []

    def __len__(self) -> int:
        return sum(map(len, self._owners))

    def beats(self, row: Costs) -> bool:
        within = self._rows[(self._rows <= row).all(axis=1)]
        return bool((within < row).any())

    def crowd(self, rows: Costs, owners: Owners) -> tuple[Costs, Owners]:
        return rows, owners

    def uncrowd(self, crowd: tuple[Costs, Owners]) -> tuple[Costs, Owners]:
        return crowd

    def take(self, crowd: tuple[Costs, Owners]) -> tuple[Costs, Owners] | None:
        rows, owners = crowd
        beaten, new = np.zeros(len(self._rows), dtype=bool), np.ones(len(rows), dtype=bool)
        for i, row in enumerate(rows):
            behind = (self._rows >= row).all(axis=1)
            equal = behind & (self._rows == row).all(axis=1)
            for same in np.flatnonzero(equal):
                self._owners[same] += owners[i]
                new[i] = False
            beaten |= behind & ~equal
        pushed = self._rows[beaten], list(compress(self._owners, beaten))
        self._rows = np.concatenate([self._rows[~beaten], rows[new]])
        self._owners = [*compress(self._owners, ~beaten), *compress(owners, new)]
        return pushed if pushed[1] else None

    def rows(self) -> tuple[Costs, Owners]:
        return self._rows, self._owners

    def owners(self) -> set[int]:
        return set(chain.from_iterable(self._owners))
