"""Momentum told by its half-life: what carries over from one length of task to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table, Unit, in_steps

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class HalfLife(Schedule):
    """0.5^(1 / h[t]): after h steps an average keeps half of what it held.

    h[t] is ``length`` where ``unit`` is "steps", and ``length`` times the number of steps of the
    task that step t is in where it is "tasks".
    """

    length: Annotated[Schedule, Within(0, np.inf, open_low=True)]
    unit: Unit
    kind: Literal["half_life"] = "half_life"

    def table(self, clock: Clock) -> Table:
        steps = in_steps(self.length.table(clock), self.unit, clock)
        with np.errstate(over="ignore", divide="ignore"):  # no half-life is a momentum of 0
            return np.exp2(-1 / steps)

    def span(self, clock: Clock) -> tuple[float, float]:
        length, most = self.length.span(clock)
        if length != most or not length > 0:
            return Schedule.span(self, clock)
        edges = zip(clock.task_starts, clock.task_ends, strict=True)
        tasks = {end - start for start, end in edges} if self.unit == "tasks" else {1}
        momenta = [float(np.exp2(-1 / (length * steps))) for steps in tasks]
        return min(momenta), max(momenta)
