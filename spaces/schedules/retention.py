"""Momentum told by how much of an average is left when a task is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table, task_lengths

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Retention(Schedule):
    """share[t]^(1 / N), N the steps of the task that step t is in.

    After N updates, one a step, the average holds ``share`` of what it held when the task began.
    Of 1000 steps 0.1 is a momentum of 0.99770, 0.5 of 0.99931 and 0.9 of 0.99989.
    """

    share: Annotated[Schedule, Within(0, 1)]
    kind: Literal["retention"] = "retention"

    def table(self, clock: Clock) -> Table:
        return self.share.table(clock) ** (1 / task_lengths(clock))
