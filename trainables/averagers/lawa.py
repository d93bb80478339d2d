"""The mean of the latest few snapshots (LAWA: Kaddour, arXiv:2209.14981)."""

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
class Lawa(Averager):
    """The mean of the last ``window`` students of those after every ``every``-th step.

    Of fewer while there are fewer, and the student itself while there is none. The window looks
    back over the ends of tasks. It is worked out for the ends of tasks only, so it cannot teach;
    windows that reach over n of them take the memory of n averages more.
    """

    steers: ClassVar[bool] = False
    window: Annotated[int, Field(ge=1)] = 5
    every: Annotated[int, Field(ge=1)] = 10
    kind: Literal["lawa"] = "lawa"

    def weights(self, clock: Clock) -> Table:
        return self.weights_at(clock, clock.task_count - 1)

    def weights_at(self, clock: Clock, task: int) -> Table:
        end = clock.task_ends[task]
        taken = np.arange(self.every - 1, end, self.every)[-self.window :]
        if len(taken) == 0:
            return np.ones(end)
        w = np.zeros(end)
        w[0] = 1
        w[taken] = 1 / np.arange(1, len(taken) + 1)
        return w
