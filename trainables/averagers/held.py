"""Another averager that is held for the first part of each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from spaces.schedules.base import Unit, whole_steps
from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Held(Wrapper):
    """Takes in nothing for the first ``length`` of each task, and then goes on as ``averager``.

    ``length`` is in steps, or a share of the task. In the first task there is nothing to hold, and
    it copies the student meanwhile. The table of ``averager`` is that of the whole clock: what it
    had for the steps held, a restart among them, is left out. KC-EMA (arXiv:2406.03065) holds its
    teacher for 10 epochs, LAE (arXiv:2303.10070) for 0.6 of a task.
    """

    length: Annotated[float, Field(ge=0)]
    unit: Unit
    kind: Literal["held"] = "held"

    def weights(self, clock: Clock) -> Table:
        w = self.averager.weights(clock)
        for start, task in zip(clock.task_starts, clock.tasks(), strict=True):
            n = min(whole_steps(self.length, self.unit, task), task.steps)
            w[start : start + n] = 0 if start else 1
        return w
