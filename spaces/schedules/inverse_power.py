"""A momentum that comes closer to 1 by a power of the step (timm, ema-pytorch, k-diffusion)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table
from spaces.schedules.constant import Constant

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class InversePower(Schedule):
    """min(limit[t], max(floor, 1 - (1 + t / gamma)^(-power))), t the step, from 0.

    ``power`` 2/3 reaches 0.999 at 31.6k steps and 0.9999 at 1M, 3/4 at 10k and 215k. Power 1 with
    ``gamma`` 1 is the mean of all students; with ``gamma`` 100 and the limit 0.9998 it is
    mmengine's MomentumAnnealingEMA, whose share of the student is max(0.0002, gamma / (gamma + t)).
    """

    limit: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9999)
    power: Annotated[float, Field(ge=0)] = 2 / 3
    gamma: Annotated[float, Field(gt=0)] = 1.0
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    kind: Literal["inverse_power"] = "inverse_power"

    def table(self, clock: Clock) -> Table:
        with np.errstate(over="ignore"):  # next to no gamma is the limit after step 0
            rise = 1 - (1 + np.arange(clock.steps) / self.gamma) ** -self.power
        return np.minimum(self.limit.table(clock), np.maximum(self.floor, rise))
