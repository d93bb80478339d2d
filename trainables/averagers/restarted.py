"""Another averager, started afresh at each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Restarted(Wrapper):
    """``averager`` on the clock of each task, which begins by copying the student.

    What was averaged in earlier tasks is forgotten after a task's first step.
    """

    kind: Literal["restarted"] = "restarted"

    def weights(self, clock: Clock) -> Table:
        return np.concatenate([self.averager.weights(task) for task in clock.tasks()])
