"""The mean of a task, the weights it was started with included (after ZSCL: Zheng et al., arXiv:2303.06628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class TaskMean(Averager):
    """At the end of a task the mean of the student before it and of some of those in it.

    Taken are the student after the task's first step and every ``every``-th from there on.
    In the first task without the student before it, which no table has. While one task's mean is
    read, the next one's is begun: it takes the memory of two averages, and is not one at every step
    and so cannot teach. ``carried_mean`` is and can. ``every`` is 10 in ZSCL's class-incremental
    runs, 100 in its others.
    """

    steers: ClassVar[bool] = False
    every: Annotated[int, Field(ge=1)] = 10
    kind: Literal["task_mean"] = "task_mean"

    def weights(self, clock: Clock) -> Table:
        return self.weights_at(clock, clock.task_count - 1)

    def weights_at(self, clock: Clock, task: int) -> Table:
        start, end = clock.task_starts[task], clock.task_ends[task]
        w = np.zeros(end)
        w[[0, max(0, start - 1)]] = 1
        shares = 1 / np.arange(1 if start == 0 else 2, end + 2)
        taken = np.arange(start, end, self.every)
        w[taken] = shares[: len(taken)]
        return w
