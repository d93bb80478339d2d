"""Another schedule that moves on from task to task only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spaces.clock import Clock
from spaces.schedules.base import Schedule, Table


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ByTask(Schedule):
    """The k-th value of ``schedule``, on a clock of one step for each task, throughout task k.

    A schedule across tasks. ``scaled`` by it, a schedule ``per_task`` has another peak in each task
    (a meta-schedule: Roth et al., arXiv:2408.14471): a constant, a ``cosine`` down to a share,
    ``power_law`` for 1 / sqrt(k), ``geometric`` for gamma^k. By itself, ``geometric`` is the
    learning rate of Stable SGD (Mirzadeh et al., arXiv:2006.06958; gamma 0.4 to 0.9).
    """

    schedule: Schedule
    kind: Literal["by_task"] = "by_task"

    def table(self, clock: Clock) -> Table:
        tasks = Clock(steps=clock.task_count, task_starts=tuple(range(clock.task_count)))
        return np.repeat(self.schedule.table(tasks), [task.steps for task in clock.tasks()])
