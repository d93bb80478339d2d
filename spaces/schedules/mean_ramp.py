"""The running mean until it is as slow as a limit (Mean Teacher: Tarvainen & Valpola, arXiv:1703.01780)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table
from spaces.schedules.constant import Constant

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class MeanRamp(Schedule):
    """min(1 - 1 / (t + 1), limit[t]), t the step, from 0.

    As a momentum: the average is the mean of all students so far until t is about
    1 / (1 - limit), an exponential one from there on. ``limit`` is 0.999 in the paper's code (0.99
    while its other ramps last), and in CLS-ER (arXiv:2201.12604) between 0.99 and 0.999.
    """

    limit: Annotated[Schedule, Within(0, 1)] = Constant(value=0.999)
    kind: Literal["mean_ramp"] = "mean_ramp"

    def table(self, clock: Clock) -> Table:
        t = np.arange(clock.steps)
        return np.minimum(1 - 1 / (t + 1), self.limit.table(clock))
