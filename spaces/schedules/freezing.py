"""A momentum that begins at its final value and then freezes the average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table, Unit, in_steps

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Freezing(Schedule):
    """1 - (1 - start) exp(-t / length), t the step, from 0: from ``start`` up to 1.

    What is at times printed as a ramp to a final momentum, tau(t) = 1 - (1 - tau_f) exp(-t /
    lambda), is this: it is tau_f at the start and at the end takes in nothing. A ramp that ends at
    tau_f is ``ramp`` or ``yolo_ramp``. ``length`` is a time constant in steps, or a share of the
    task that a step is in.
    """

    start: Annotated[float, Field(ge=0, le=1)]
    length: Annotated[float, Field(gt=0)]
    unit: Unit
    kind: Literal["freezing"] = "freezing"

    def table(self, clock: Clock) -> Table:
        with np.errstate(over="ignore"):  # next to no length is frozen after step 0
            age = np.arange(clock.steps) / in_steps(self.length, self.unit, clock)
        return 1 - (1 - self.start) * np.exp(-age)
