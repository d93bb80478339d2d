"""A rung: all that was seen at one level, and the rule for who goes on."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from search.rungs.ladder import NOBODY
from spaces.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from search.worths import Worth
    from spaces.fronts import Costs

Id = TypeVar("Id", bound="Hashable")


class Rung:
    """All the finite results of one rung, and the rule for who goes on.

    A newcomer goes on if fewer than ceil(n / factor) of the n finite results seen, those of its own
    batch included, are better than it. Rounded up: at least one of ``factor`` goes on, and a small
    rung, which knows little, lets one more through rather than one less. A rung that holds fewer
    than ``grace`` lets all of them through.

    Better is: a lower non-dominated rank; within a rank, what is ``worth`` more. What ties is
    treated alike, whenever it came: both or neither go on. Equal results share what one of them is
    worth.

    Whoever is ``behind`` is worse than all who are not, and than all who are less behind, whatever
    the objectives (the constrained dominance of Deb et al., "A fast and elitist multiobjective
    genetic algorithm: NSGA-II", IEEE Trans. Evolutionary Computation 2002, section VI).

    A result that is not finite is not entered and never goes on.
    """

    def __init__(self, *, factor: int, reference: ArrayLike, worth: Worth, grace: int) -> None:
        self.factor, self.worth, self.grace = factor, worth, grace
        self.reference = np.asarray(reference, dtype=np.float64)
        self._seen: set[Hashable] = set()
        self._layers = Layers(len(self.reference))
        self._sorted = [np.empty(0) for _ in self.reference]
        self._late: list[Costs] = []
        self._behind: list[float] = []

    def __len__(self) -> int:
        """How many finite results it holds."""
        return len(self._layers) + len(self._behind)

    def admit(
        self, costs: Mapping[Id, ArrayLike], behind: Mapping[Any, float] = NOBODY
    ) -> list[Id]:
        """Enters those that are finite and returns them, in order.

        Raises ``ValueError`` if an id has been here before.
        """
        return list(self._entered(costs, behind))

    def judge(self, costs: Mapping[Id, ArrayLike], behind: Mapping[Any, float] = NOBODY) -> set[Id]:
        """Enters the newcomers; returns the ids among them that go on."""
        entered = self._entered(costs, behind)
        if not entered or len(self) < self.grace:
            return set(entered)
        room, level = -(-len(self) // self.factor), len(self._layers)
        late = {i for i in entered if behind.get(i, 0)}
        near = {i for i in late if level + bisect_left(self._behind, behind[i]) < room}
        return near | self._best({i: row for i, row in entered.items() if i not in late}, room)

    def _best(self, entered: Mapping[Id, Costs], room: int) -> set[Id]:
        """Those of ``entered``, none of them behind, than which fewer than ``room`` are better."""
        if len(self._layers) <= room:
            return set(entered)
        last, before = self._layers.last(room)
        ranks = {i: self._layers.rank(row) for i, row in entered.items()}
        on = {i for i, rank in ranks.items() if rank < last}
        tied = {i: entered[i] for i, rank in ranks.items() if rank == last}
        return on | self._worthy(tied, last, room - before)

    def _entered(
        self, costs: Mapping[Id, ArrayLike], behind: Mapping[Any, float]
    ) -> dict[Id, Costs]:
        again = [i for i in costs if i in self._seen]
        if again:
            raise ValueError(f"a rung sees each id once, got {again=}")
        self._seen |= costs.keys()
        rows = np.array(list(costs.values()), dtype=np.float64)
        rows = rows.reshape(len(costs), len(self.reference))
        finite: NDArray[np.bool_] = np.all(np.isfinite(rows), axis=1)
        late = np.array([behind.get(i, 0.0) for i in costs], dtype=np.float64)
        for far in late[finite & (late > 0)]:
            insort(self._behind, float(far))
        level = rows[finite & ~(late > 0)]
        self._layers.add(level)
        self._late.append(level)
        return {i: row for i, row, kept in zip(costs, rows, finite, strict=True) if kept}

    def _worthy(self, tied: Mapping[Id, Costs], rank: int, room: int) -> set[Id]:
        """Those of ``tied``, of that ``rank``, than which fewer than ``room`` of it are better."""
        if not tied:
            return set()
        rows, counts = self._layers.rows(rank)
        if counts.sum() <= room:
            return set(tied)
        merits = self.worth.merits(self._places(rows), self._places(self.reference[None])[0])
        best_first = np.argsort(-merits)
        bar = merits[best_first][np.searchsorted(np.cumsum(counts[best_first]), room)]
        worthy = {tuple(row) for row in rows[merits >= bar].tolist()}
        return {i for i, row in tied.items() if tuple(row.tolist()) in worthy}

    def _places(self, rows: Costs) -> Costs:
        """On each objective, how many results are strictly better than each of ``rows``: [n, objectives]."""
        if self._late:
            late = np.sort(np.concatenate(self._late).T, axis=1)
            known = zip(self._sorted, late, strict=True)
            self._sorted = [np.insert(a, np.searchsorted(a, b), b) for a, b in known]
            self._late = []
        columns = zip(self._sorted, rows.T, strict=True)
        return np.stack([np.searchsorted(a, b) for a, b in columns], axis=1).astype(np.float64)
