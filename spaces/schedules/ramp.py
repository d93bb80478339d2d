"""An exponential approach: fast at first, and never quite there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock

MOST_STEPS = 1e9
"""Time constants up to which two steps are further apart than exponentials are wrong."""


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Ramp(Schedule):
    """end - (end - start) exp(-t / (rate steps)): ``rate`` is a time constant, a share of the run.

    ``yolo_ramp`` is the momentum ramp of this shape with its time constant in steps.
    """

    start: float
    end: float
    rate: Annotated[float, Field(gt=0)]
    kind: Literal["ramp"] = "ramp"

    def table(self, clock: Clock) -> Table:
        with np.errstate(over="ignore"):  # a rate next to 0 is a jump to the end after step 0
            age = np.arange(clock.steps) / (self.rate * clock.steps)
        return self.end - (self.end - self.start) * np.exp(-age)

    def span(self, clock: Clock) -> tuple[float, float]:
        if self.rate * clock.steps > MOST_STEPS:
            return Schedule.span(self, clock)
        left = float(np.exp(-(clock.steps - 1) / (self.rate * clock.steps)))
        first = self.end - (self.end - self.start) * 1.0
        last = self.end - (self.end - self.start) * left
        return min(first, last), max(first, last)
