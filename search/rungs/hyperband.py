"""Hyperband: several ladders, of which some judge late or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from search.rungs.asha import Asha
from search.rungs.base import Rungs, powers, too_late
from search.rungs.ladder import Ladder
from search.worths import Worth
from search.worths.contribution import Contribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@Rungs.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperband(Rungs):
    """Brackets of ``asha``: bracket s first judges after ``first_task * factor**s`` tasks.

    For streams whose early tasks may say little of the late ones: what is stopped early by one
    bracket may live in another. There are as many as judge anyone and one that judges nobody, or
    the first ``brackets`` of them. A bracket with k rungs takes ceil((K + 1) / (k + 1) * factor**k)
    students in turn, K being the rungs of the first, so that each costs about the same (Li et al.,
    "Hyperband", JMLR 2018, algorithm 1, line 3). Students are dealt out in the order in which they
    were asked for, evenly; the averages of one stay together. With a stream of 5 tasks and the
    defaults, three students in five are judged after 2 tasks and two are not judged.
    """

    kind: Literal["hyperband"] = "hyperband"
    factor: Annotated[int, Field(ge=2)] = 3
    first_task: Annotated[int, Field(ge=2)] = 2
    brackets: Annotated[int, Field(ge=2)] | None = None
    within: Worth = Contribution()

    def levels(self, tasks: int) -> tuple[int, ...]:
        return powers(self.first_task, factor=self.factor, below=tasks)

    def ladder(self, tasks: int, reference: ArrayLike) -> Ladder:
        asha = Asha(factor=self.factor, first_task=self.first_task, within=self.within)
        levels, count = self.levels(tasks), self._count(tasks)
        brackets = [{level: asha.rung(reference) for level in levels[s:]} for s in range(count)]
        most = len(levels)
        ks = [most - s for s in range(count)]
        sizes = [-(-(most + 1) * self.factor**k // (k + 1)) for k in ks]
        return Ladder(brackets, dealt(sizes))

    def misfit(self, tasks: int) -> tuple[str, str] | None:
        there = len(self.levels(tasks)) + 1
        if self.brackets is not None and there > 1 and self.brackets > there:
            told = f"with {tasks} tasks there are {there} that differ, got {self.brackets}"
            return "brackets", told
        return too_late(self.first_task, tasks)

    def _count(self, tasks: int) -> int:
        there = len(self.levels(tasks)) + 1
        return there if self.brackets is None else min(self.brackets, there)


def dealt(sizes: list[int]) -> tuple[int, ...]:
    """A round of sum(sizes) turns in which s has ``sizes[s]`` of them, spread evenly.

    Each turn goes to whoever would be furthest behind its share; of those, to the first.
    """
    given, turns = [0] * len(sizes), []
    for turn in range(1, sum(sizes) + 1):
        behind = [size * turn - g * sum(sizes) for size, g in zip(sizes, given, strict=True)]
        s = behind.index(max(behind))
        given[s] += 1
        turns.append(s)
    return tuple(turns)
