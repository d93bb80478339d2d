"""Rungs: who goes on, as arithmetic. No process is stopped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spaces.specs import Spec


@dataclass(frozen=True, kw_only=True, slots=True)
class Rungs(Spec):
    """After ``first_task * factor**k`` tasks (k = 0, 1, ...) about one in ``factor`` goes on.

    The counts are of finished tasks, in integers, and a stream's last task is never a rung: there a
    candidate is complete. Rungs thin out as candidates thin out, so that every rung costs about the
    same (Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020). With the
    defaults a stream of 5 tasks has the rung 2; of 10, the rungs 2 and 6; of 20, 2, 6 and 18.

    ``first_task`` is at least 2: forgetting cannot be seen before the second task.
    """

    factor: Annotated[int, Field(ge=2)] = 3
    first_task: Annotated[int, Field(ge=2)] = 2

    def levels(self, tasks: int) -> tuple[int, ...]:
        """Numbers of finished tasks after which a stream of ``tasks`` is judged. May be empty."""
        return levels(self.first_task, factor=self.factor, below=tasks)


def levels(first: int, *, factor: int, below: int) -> tuple[int, ...]:
    """``first``, ``first * factor``, ``first * factor**2``, ... that are less than ``below``."""
    out = []
    while first < below:
        out.append(first)
        first *= factor
    return tuple(out)
