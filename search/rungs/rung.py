"""A rung: all that was seen at one level, and the rule for who goes on."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from search.rungs.ladder import NOBODY
from spaces.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import ArrayLike, NDArray

    from search.worths import Worth
    from spaces.fronts import Costs

Id = TypeVar("Id", bound="Hashable")


class Rung:
    """All the finite results of one rung, and the rule for who goes on.

    A student goes on, with all its averages, if fewer than ceil(n / factor) of the n students seen,
    those of its own batch included, are better than it. Rounded up: at least one of ``factor`` goes
    on, and a small rung, which knows little, lets one more through rather than one less. A rung that
    holds fewer than ``grace`` students lets all of them through.

    A student is as good as its best average. Better is: a lower non-dominated rank; within a rank,
    what is ``worth`` more. What ties is treated alike, whenever it came: both or neither go on.
    Equal results share what one of them is worth. That students are judged and not candidates one
    by one is ours: a student that goes on for one average's sake costs what it costs, and its
    other averages add little to that.

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
        self._behind: dict[int, float] = {}
        self._students: set[int] = set()
        self._results = 0

    def __len__(self) -> int:
        """How many students it holds."""
        return len(self._students)

    def admit(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> None:
        """Enters those that are finite. Raises ``ValueError`` if an id has been here before."""
        self._entered(costs, students, behind)

    def judge(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> set[Id]:
        """Enters the newcomers; returns the ids among them that go on."""
        entered = self._entered(costs, students, behind)
        known = len(self)
        if not entered or known < self.grace:
            return set(entered)
        room, level = -(-known // self.factor), self._layers.owners
        if len(level) > room:
            rows = [(students[i], row) for i, row in entered.items() if not behind.get(i, 0)]
            on = self._best(rows, {students[i] for i in entered}, room)
        else:
            on = level | self._nearest(room - len(level))
        return {i for i in entered if students[i] in on}

    def _best(
        self,
        rows: Sequence[tuple[int, Costs]],
        asked: AbstractSet[int],
        room: int,
    ) -> set[int]:
        """The students ``asked`` for, with these new ``rows``, than which fewer than ``room`` are better."""
        shared = self._results > len(self)
        cut = self._layers.cut(room, shared=shared)
        if shared:
            on = {student for student in asked if student in cut.owners}
        else:
            on = {student for student, row in rows if self._layers.is_before(cut.rank, row)}
        tied = (asked - on) & self._layers.owners_at(cut.rank)
        return on | (tied & self._worthy(cut.rank, cut.owners, room - cut.better) if tied else tied)

    def _nearest(self, room: int) -> set[int]:
        """Of students that are behind, those than which fewer than ``room`` are less so."""
        late = {s: by for s, by in self._behind.items() if s not in self._layers.owners}
        bar = sorted(late.values())[room - 1] if room else 0.0
        return {student for student, by in late.items() if by <= bar}

    def _entered(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float],
    ) -> dict[Id, Costs]:
        again = [i for i in costs if i in self._seen]
        if again:
            raise ValueError(f"a rung sees each id once, got {again=}")
        self._seen.update(costs)  # `|=` with keys makes a new set of all that were seen
        every = np.array(list(costs.values()), dtype=np.float64).reshape(-1, len(self.reference))
        finite: NDArray[np.bool_] = np.all(np.isfinite(every), axis=1)
        entered = dict(compress(zip(costs, every, strict=True), finite.tolist()))
        self._students.update(students[i] for i in entered)
        self._results += len(entered)
        late = {i: by for i in entered if (by := behind.get(i, 0.0)) > 0}
        for i, by in late.items():
            self._behind[students[i]] = min(self._behind.get(students[i], np.inf), by)
        level = [i for i in entered if i not in late] if late else list(entered)
        rows = np.array([entered[i] for i in level]).reshape(-1, len(self.reference))
        self._layers.add(rows, [students[i] for i in level])
        self._late.append(rows)
        return entered

    def _worthy(self, rank: int, better: AbstractSet[int], room: int) -> set[int]:
        """Of that ``rank`` and not ``better``: those than which fewer than ``room`` of it are better."""
        rows, owners = self._layers.rows(rank)
        places = self._places(np.vstack([rows, self.reference]))
        merits = self.worth.merits(places[:-1], places[-1])
        best: dict[int, float] = {}
        for merit, of in zip(merits.tolist(), owners, strict=True):
            for student in of:
                if student not in better:
                    best[student] = max(merit, best.get(student, merit))
        bar = sorted(best.values(), reverse=True)[room - 1]
        return {student for student, merit in best.items() if merit >= bar}

    def _places(self, rows: Costs) -> Costs:
        """On each objective, how many results are strictly better than each of ``rows``: [n, objectives]."""
        if self._late:
            late = np.sort(np.concatenate(self._late).T, axis=1)
            known = zip(self._sorted, late, strict=True)
            self._sorted = [np.insert(a, np.searchsorted(a, b), b) for a, b in known]
            self._late = []
        columns = zip(self._sorted, rows.T, strict=True)
        return np.stack([np.searchsorted(a, b) for a, b in columns], axis=1).astype(np.float64)
