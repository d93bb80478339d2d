"""Knowledge consolidation: an average that acts now and then, late in a task (KC-EMA, arXiv:2406.03065)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.base import Unit, whole_steps
from spaces.schedules.constant import Constant
from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Consolidated(Averager):
    """Copies the student throughout the first task, the base model's; then it is consolidated.

    In each later task it stays as it is for the first ``freeze``, and after that keeps
    ``momentum`` of itself each time that another ``every`` are done: n steps in a task consolidate
    (n - freeze) / every times, rounded down. Momentum is thus told for a time that it acts, and
    not for a step as in ``ema``. ``freeze`` and ``every`` are in steps or shares of the task; every
    is a step at least.

    The paper freezes for 10 epochs. The rest could not be established; ours: half a task frozen, then
    ten times, momentum 0.9.
    """

    momentum: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    freeze: Annotated[float, Field(ge=0)] = 0.5
    every: Annotated[float, Field(gt=0)] = 0.05
    unit: Unit = "tasks"
    kind: Literal["consolidated"] = "consolidated"

    def weights(self, clock: Clock) -> Table:
        share = 1 - self.momentum.table(clock)
        w = np.zeros(clock.steps)
        w[: clock.task_ends[0]] = 1
        for start, task in list(zip(clock.task_starts, clock.tasks(), strict=True))[1:]:
            every = max(1, whole_steps(self.every, self.unit, task))
            first = start + whole_steps(self.freeze, self.unit, task) + every - 1
            at = slice(first, start + task.steps, every)
            w[at] = share[at]
        return w
