"""The warm-up of TensorFlow's ExponentialMovingAverage with num_updates."""

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
class TensorflowRamp(Schedule):
    """min(limit[t], (1 + t) / (10 + t)), t the step, from 0: from 0.1 up.

    It reaches 0.99 at t = 890, 0.999 at 8,990 and 0.9999 at 89,990.
    """

    limit: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9999)
    kind: Literal["tensorflow_ramp"] = "tensorflow_ramp"

    def table(self, clock: Clock) -> Table:
        t = np.arange(clock.steps)
        return np.minimum(self.limit.table(clock), (1 + t) / (10 + t))
