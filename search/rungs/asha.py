"""Asynchronous successive halving: nobody waits for a rung to fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from search.rungs.base import Rungs, powers, too_late
from search.rungs.ladder import Ladder
from search.rungs.rung import Rung
from search.worths import Worth
from search.worths.contribution import Contribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@Rungs.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Asha(Rungs):
    """After ``first_task * factor**k`` tasks (k = 0, 1, ...) about one student in ``factor`` goes on.

    Who goes on is decided on arrival, among all that arrived before, and never revised. Rungs thin
    out as students thin out, so that every rung costs about the same (Li et al., "A system for
    massively parallel hyperparameter tuning", MLSys 2020). With the defaults a stream of 5 tasks
    has the rung 2; of 10, the rungs 2 and 6; of 20, 2, 6 and 18. A rung that holds fewer than
    ``factor`` students stops none. ``within`` says who of a front is better.

    ``first_task`` is at least 2: forgetting cannot be seen before the second task.
    """

    kind: Literal["asha"] = "asha"
    factor: Annotated[int, Field(ge=2)] = 3
    first_task: Annotated[int, Field(ge=2)] = 2
    within: Worth = Contribution()

    def levels(self, tasks: int) -> tuple[int, ...]:
        return powers(self.first_task, factor=self.factor, below=tasks)

    def ladder(self, tasks: int, reference: ArrayLike) -> Ladder:
        return Ladder([{level: self.rung(reference) for level in self.levels(tasks)}])

    def rung(self, reference: ArrayLike) -> Rung:
        """One that has seen nothing."""
        return Rung(factor=self.factor, reference=reference, worth=self.within, grace=self.factor)

    def misfit(self, tasks: int) -> tuple[str, str] | None:
        return too_late(self.first_task, tasks)
