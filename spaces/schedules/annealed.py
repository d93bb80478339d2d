"""Another schedule, annealed at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table, Unit

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Annealed(Schedule):
    """schedule[t] ratio^(j / n) at step j, from 0 to n, of the last n + 1.

    n is ``length`` in steps, or a share of the last task; it is a step at least. Of ``infinite``
    this is the last phase, eta_const (eta_min / eta_const)^(j / n), which reaches eta_min at the
    last step of all. (Published forms of the exponent disagree.) The method anneals a copy of the run,
    at the end of every task: that is ``recipe.branch``. The default ratio is ours.
    """

    schedule: Schedule
    length: Annotated[float, Field(gt=0)]
    unit: Unit
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.1
    kind: Literal["annealed"] = "annealed"

    def table(self, clock: Clock) -> Table:
        whole = clock.steps - clock.task_starts[-1] if self.unit == "tasks" else 1
        n = max(1, round(self.length * whole))
        j = np.maximum(0, np.arange(clock.steps) - (clock.steps - 1 - n))
        return self.schedule.table(clock) * self.ratio ** (j / n)
