"""A momentum that begins frozen and loosens with the time and the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Loosening(Schedule):
    """max(floor, 1 - rate[t] sqrt(t / steps)), t the step, from 0, of ``steps`` in all.

    Printed in places as an adaptive momentum with the learning rate as ``rate``; it adapts to
    nothing measured, begins at 1 and only falls. With a learning rate of 0.001 it stays above
    0.999. The default floor is ours.
    """

    rate: Annotated[Schedule, Within(0, np.inf)]
    floor: Annotated[float, Field(ge=0, le=1)] = 0.9
    kind: Literal["loosening"] = "loosening"

    def table(self, clock: Clock) -> Table:
        gone = np.arange(clock.steps) / clock.steps
        return np.maximum(self.floor, 1 - self.rate.table(clock) * np.sqrt(gone))
