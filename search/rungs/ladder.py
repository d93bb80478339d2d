"""Ladders: the rungs of a study and what they have seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike

Id = TypeVar("Id", bound="Hashable")

NOBODY: Mapping[Any, float] = MappingProxyType({})


class Judge(Protocol):
    """One rung: it enters what candidates cost [objectives], and says who goes on.

    ``students`` says whose average each is, by the turn of its student. ``behind`` says how far each
    is behind those that lack nothing; whom it does not name is not.
    """

    def judge(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> set[Id]: ...

    def admit(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> None: ...

    def __len__(self) -> int: ...


class Ladder:
    """Rungs by level, in one bracket or several; each student belongs to one.

    Brackets take students in turn: the ``turn``-th is in bracket ``cycle[turn % len(cycle)]``. A
    candidate that has no rung at a level goes on, unless a cost is not finite. The state is what each rung has seen, so
    replaying the same results gives the same state.
    """

    def __init__(
        self, brackets: Sequence[Mapping[int, Judge]], cycle: Sequence[int] = (0,)
    ) -> None:
        self._brackets, self._cycle = brackets, cycle

    def judge(
        self,
        level: int,
        costs: Mapping[Id, ArrayLike],
        turns: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> set[Id]:
        """Enters what candidates cost [objectives] after ``level`` tasks; returns who goes on.

        ``turns`` has the turn of each one's student, all of whose averages are judged as one. Who is judged together came together. Whoever
        is ``behind`` is worse than all who are not, and than all who are less so.
        """
        on: set[Id] = set()
        for bracket, group in self._parted(costs, turns).items():
            rung = self._brackets[bracket].get(level)
            on |= _finite(group) if rung is None else rung.judge(group, turns, behind)
        return on

    def admit(
        self,
        level: int,
        costs: Mapping[Id, ArrayLike],
        turns: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> None:
        """Enters results whose verdict is already known: ``judge`` without its cost, for replay."""
        for bracket, group in self._parted(costs, turns).items():
            if (rung := self._brackets[bracket].get(level)) is not None:
                rung.admit(group, turns, behind)

    def levels(self, turn: int) -> tuple[int, ...]:
        """Where the candidates of a student are judged."""
        return tuple(self._brackets[self._cycle[turn % len(self._cycle)]])

    def seen(self) -> dict[int, int]:
        """How many students are held at each level."""
        held: defaultdict[int, int] = defaultdict(int)
        for bracket in self._brackets:
            for level, rung in bracket.items():
                held[level] += len(rung)
        return dict(sorted(held.items()))

    def _parted(
        self, costs: Mapping[Id, ArrayLike], turns: Mapping[Id, int]
    ) -> dict[int, dict[Id, ArrayLike]]:
        parts: defaultdict[int, dict[Id, ArrayLike]] = defaultdict(dict)
        for i, cost in costs.items():
            parts[self._cycle[turns[i] % len(self._cycle)]][i] = cost
        return dict(parts)


def _finite(costs: Mapping[Id, ArrayLike]) -> set[Id]:
    return {i for i, cost in costs.items() if np.isfinite(cost).all()}
