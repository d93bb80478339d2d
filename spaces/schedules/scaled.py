"""One schedule times another, so that a single knob scales several shapes."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Scaled(Schedule):
    """scale[t] shape[t]: with the shape's peak at 1, ``scale`` is the peak of the product."""

    scale: Schedule
    shape: Schedule
    kind: Literal["scaled"] = "scaled"

    def table(self, clock: Clock) -> Table:
        return self.scale.table(clock) * self.shape.table(clock)

    def span(self, clock: Clock) -> tuple[float, float]:
        (low, high), (least, most) = self.scale.span(clock), self.shape.span(clock)
        ends = low * least, high * most
        if (low != high and least != most) or not isfinite(sum(ends)):
            return Schedule.span(self, clock)
        return min(ends), max(ends)
