"""The student as it was at the end of the task before: the frozen teacher, the anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Previous(Averager):
    """Copies the student when a task is finished, pulls and merges done, and keeps it for the next.

    In the first task it is the student as it was drawn. Followed instead of teaching it is, at the
    ends of tasks, the student.
    """

    kind: Literal["previous"] = "previous"

    def weights(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        w[[0, *(end - 1 for end in clock.task_ends)]] = 1
        return w

    def teaching(self, clock: Clock) -> Table:
        return np.zeros(clock.steps)

    def settling(self, clock: Clock) -> Table:
        return np.ones(clock.task_count)
