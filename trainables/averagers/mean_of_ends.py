"""The mean of the students at the ends of all tasks so far (mean-IMM: Lee et al., arXiv:1703.08475)."""

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
class MeanOfEnds(Averager):
    """mean <- mean + (student - mean) / k when the k-th task is finished, pulls and merges done.

    As a teacher or target it is thus the mean of the tasks before, in the first task the student as
    it was drawn. Followed it is, at the end of a task, the mean with that task.
    """

    kind: Literal["mean_of_ends"] = "mean_of_ends"

    def weights(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        w[0] = 1
        w[[end - 1 for end in clock.task_ends]] = self.settling(clock)
        return w

    def teaching(self, clock: Clock) -> Table:
        return np.zeros(clock.steps)

    def settling(self, clock: Clock) -> Table:
        return 1 / np.arange(1, clock.task_count + 1)
