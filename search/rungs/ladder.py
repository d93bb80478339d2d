"""Ladders: the rungs of a study and what they have seen."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import ArrayLike

Id = TypeVar("Id", bound="Hashable")


class Judge(Protocol):
    """One rung: it enters what candidates cost [objectives], and says who goes on."""

    def judge(self, costs: Mapping[Id, ArrayLike]) -> set[Id]: ...

    def admit(self, costs: Mapping[Id, ArrayLike]) -> list[Id]: ...

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

    def judge(self, level: int, costs: Mapping[Id, ArrayLike], turns: Mapping[Id, int]) -> set[Id]:
        """Enters what candidates cost [objectives] after ``level`` tasks; returns who goes on.

        ``turns`` has the turn of each one's student. Who is judged together came together.
        """
        on: set[Id] = set()
        for bracket, group in self._parted(costs, turns).items():
            rung = self._brackets[bracket].get(level)
            on |= _finite(group) if rung is None else rung.judge(group)
        return on

    def admit(self, level: int, costs: Mapping[Id, ArrayLike], turns: Mapping[Id, int]) -> None:
        """Enters results whose verdict is already known: ``judge`` without its cost, for replay."""
        for bracket, group in self._parted(costs, turns).items():
            if (rung := self._brackets[bracket].get(level)) is not None:
                rung.admit(group)

    def levels(self, turn: int) -> tuple[int, ...]:
        """Where the candidates of a student are judged."""
        return tuple(self._brackets[self._cycle[turn % len(self._cycle)]])

    def seen(self) -> dict[int, int]:
        """How many results are held at each level."""
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
