"""The mean of a task and of the average so far (ZSCL: Zheng et al., arXiv:2303.06628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedMean(Averager):
    """In each task the mean of the average before it and of some of its students.

    Taken are the student after the task's first step and every ``every``-th from there on:
    average <- (n average + student) / (n + 1), n = 1, 2, ...

    In the first task there is no average yet, and n begins at 0. Where the student is set to the
    average at the ends of tasks, as ZSCL does, the average before a task is what the task starts
    from, and this is ``task_mean``. ``every`` is 10 in ZSCL's class-incremental runs, 100 in its
    others.
    """

    every: Annotated[int, Field(ge=1)] = 10
    kind: Literal["carried_mean"] = "carried_mean"

    def weights(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        for start, end in zip(clock.task_starts, clock.task_ends, strict=True):
            taken = np.arange(start, end, self.every)
            before = 1 if start == 0 else 2
            w[taken] = 1 / np.arange(before, before + len(taken))
        return w
