"""An exponential ramp from nothing to a limit (YOLOv5's ModelEMA, MMCV's ExpMomentumEMA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table, Unit, in_steps
from spaces.schedules.constant import Constant

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class YoloRamp(Schedule):
    """limit[t] (1 - exp(-(1 + t) / length)), t the step, from 0.

    ``length`` is a time constant in steps, or a share of the task that a step is in. MMCV: 2000
    steps and the limit 0.9998.
    """

    limit: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9998)
    length: Annotated[float, Field(gt=0)] = 2000.0
    unit: Unit = "steps"
    kind: Literal["yolo_ramp"] = "yolo_ramp"

    def table(self, clock: Clock) -> Table:
        age = 1.0 + np.arange(clock.steps)
        with np.errstate(over="ignore"):  # next to no length is the limit from the first step
            return self.limit.table(clock) * -np.expm1(
                -age / in_steps(self.length, self.unit, clock)
            )
