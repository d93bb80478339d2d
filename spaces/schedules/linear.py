"""A straight line from one value to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spaces.schedules.base import Schedule, Table, progress

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Linear(Schedule):
    """start + (end - start) t / (steps - 1): ``start`` at the first step, ``end`` at the last."""

    start: float
    end: float
    kind: Literal["linear"] = "linear"

    def table(self, clock: Clock) -> Table:
        return self.start + (self.end - self.start) * progress(clock)
