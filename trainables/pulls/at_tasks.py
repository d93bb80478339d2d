"""Pulls where tasks meet: the average deployed as student, or what the next task begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.pulls.base import Kept, Pull

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Pull.register
@dataclass(frozen=True, kw_only=True, slots=True)
class AtTasks(Pull):
    """At every task's ``at`` the student goes ``share`` of the way: of that task's step.

    ``end``: after the task's last step, so that it is what averages and the test see. ``start``: before
    a task's first step, after the task before was measured. Then toward an ``ema`` the average
    begins the next task; toward ``initial`` with share 1 every task is learnt from the
    stream's first weights, as task arithmetic has it, and only merges know of the others; toward
    ``mean_of_ends`` it begins between what all tasks left behind.

    The first task's start comes before any step, so nothing happens there; ends before
    ``from_task`` (from 0) are left alone.
    """

    toward: Averager = Ema(momentum=Constant(value=0.99))
    share: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    at: Literal["start", "end"] = "end"
    from_task: Annotated[int, Field(ge=0)] = 0
    optimizer: Kept = "keep"
    kind: Literal["at_tasks"] = "at_tasks"

    def table(self, clock: Clock) -> Table:
        b, share = np.zeros(clock.steps), self.share.table(clock)
        if self.at == "end":
            last = [end - 1 for end in clock.task_ends[self.from_task :]]
            b[last] = share[last]
        return b

    def opening(self, clock: Clock) -> Table:
        b = np.zeros(clock.task_count)
        if self.at == "start":
            first = list(clock.task_starts)[max(1, self.from_task) :]
            b[max(1, self.from_task) :] = self.share.table(clock)[first]
        return b
