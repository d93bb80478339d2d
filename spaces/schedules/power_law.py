"""A value that falls by a power of the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw(Schedule):
    """start (1 + t)^(-power), t the step, from 0; by default 1 / sqrt of the count of steps."""

    start: Annotated[float, Field(ge=0)]
    power: Annotated[float, Field(ge=0)] = 0.5
    kind: Literal["power_law"] = "power_law"

    def table(self, clock: Clock) -> Table:
        return self.start * np.power(1.0 + np.arange(clock.steps), -self.power)
