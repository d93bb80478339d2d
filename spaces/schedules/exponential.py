"""A geometric progression from one value to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table, progress

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Exponential(Schedule):
    """start (end / start)^(t / (steps - 1)): the same factor at every step. Both ends above 0."""

    start: Annotated[float, Field(gt=0)]
    end: Annotated[float, Field(gt=0)]
    kind: Literal["exponential"] = "exponential"

    def table(self, clock: Clock) -> Table:
        low, high = sorted((self.start, self.end))
        logs = np.log(self.start) + (np.log(self.end) - np.log(self.start)) * progress(clock)
        return np.clip(np.exp(logs), low, high)
