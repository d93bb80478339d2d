"""Another schedule after a linear warm-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table, Unit, whole_steps

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Warmed(Schedule):
    """top (low + (1 - low) t / n) for t < n, then ``then`` on the clock of the steps after n.

    top is ``then``'s first value; n is ``length`` in steps or a share of the clock's first task, in
    whole steps: 0.01 of a task of 50 or less is none. With ``low`` 0 the first step is one of
    0, as in most libraries. In ``per_task`` every task is warmed up anew: re-warming, for which
    arXiv:2403.08763 takes 0.01 of a task.
    """

    then: Schedule
    length: Annotated[float, Field(ge=0)] = 0.01
    unit: Unit = "tasks"
    low: Annotated[float, Field(ge=0, le=1)] = 0.0
    kind: Literal["warmed"] = "warmed"

    def table(self, clock: Clock) -> Table:
        n = whole_steps(self.length, self.unit, clock)
        # A warm-up as long as the clock or longer still needs a top to go to.
        after = self.then.table(clock.after(min(n, clock.steps - 1)))
        rise = self.low + (1 - self.low) * np.arange(min(n, clock.steps)) / max(1, n)
        return np.concatenate([after[0] * rise, after])[: clock.steps]
