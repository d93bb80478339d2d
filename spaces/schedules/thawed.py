"""Another schedule, held at 0 for the first part of each task but the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from spaces.schedules.base import Schedule, Table
from spaces.schedules.constant import Constant

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Thawed(Schedule):
    """0 for the first ``share`` of each task from the second on, ``schedule`` everywhere else.

    The share of a task's steps is rounded to whole ones. As a recipe's ``body_rate`` it is LAE's
    calibration of adaptation speeds (Gao et al., arXiv:2303.10070): its online modules stand still
    while only the head is trained, for 3 of 5 epochs of a task, the default here, or 30 of 50. What
    stands still is still differentiated: an optimizer with a memory remembers those slopes, which
    LAE's does not see, and goes by them once the body thaws.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.6
    schedule: Schedule = Constant(value=1.0)
    kind: Literal["thawed"] = "thawed"

    def table(self, clock: Clock) -> Table:
        out = self.schedule.table(clock)
        for start, end in list(zip(clock.task_starts, clock.task_ends, strict=True))[1:]:
            out[start : start + round(self.share * (end - start))] = 0
        return out
