"""A fixed share of the value before."""

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
class Geometric(Schedule):
    """start factor^t, t the step, from 0. ``exponential`` is the same told by its two ends."""

    start: Annotated[float, Field(ge=0)]
    factor: Annotated[float, Field(gt=0, le=1)]
    kind: Literal["geometric"] = "geometric"

    def table(self, clock: Clock) -> Table:
        return self.start * np.power(self.factor, np.arange(clock.steps))
