"""Synchronous successive halving: those who are trained together are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field

from search.rungs.base import Rungs, powers, too_late
from search.rungs.ladder import NOBODY, Ladder
from search.rungs.rung import Rung
from search.worths import Worth
from search.worths.contribution import Contribution

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import ArrayLike

Id = TypeVar("Id", bound="Hashable")


@Rungs.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Halving(Rungs):
    """After ``first_task * factor**k`` tasks ceil(n / factor) of the n students of a job go on.

    So does who ties with the last of them (Jamieson & Talwalkar, "Non-stochastic best arm
    identification and hyperparameter optimization", AISTATS 2016; several objectives are ours).

    A job's students arrive together, so nobody waits; what other jobs measured is of no account,
    which a wide fold can afford and a narrow one cannot: a student alone in its job is never
    stopped. ``within`` says who of a front is better.
    """

    kind: Literal["halving"] = "halving"
    factor: Annotated[int, Field(ge=2)] = 3
    first_task: Annotated[int, Field(ge=2)] = 2
    within: Worth = Contribution()

    def levels(self, tasks: int) -> tuple[int, ...]:
        return powers(self.first_task, factor=self.factor, below=tasks)

    def ladder(self, tasks: int, reference: ArrayLike) -> Ladder:
        return Ladder([{level: Heats(self, reference) for level in self.levels(tasks)}])

    def misfit(self, tasks: int) -> tuple[str, str] | None:
        return too_late(self.first_task, tasks)


class Heats:
    """A rung at which each batch is a heat of its own. It remembers how many it saw, and no more."""

    def __init__(self, halving: Halving, reference: ArrayLike) -> None:
        self._halving, self._reference, self._count = halving, reference, 0

    def __len__(self) -> int:
        return self._count

    def judge(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> set[Id]:
        heat = self._heat()
        on = heat.judge(costs, students, behind)
        self._count += len(heat)
        return on

    def admit(
        self,
        costs: Mapping[Id, ArrayLike],
        students: Mapping[Id, int],
        behind: Mapping[Any, float] = NOBODY,
    ) -> None:
        heat = self._heat()
        heat.admit(costs, students, behind)
        self._count += len(heat)

    def _heat(self) -> Rung:
        halving = self._halving
        return Rung(factor=halving.factor, reference=self._reference, worth=halving.within, grace=1)
