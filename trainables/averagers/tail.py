"""The mean of the last part of each task (stochastic weight averaging: Izmailov, arXiv:1803.05407)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Tail(Averager):
    """In each task the mean of the students of its last ``share``, one every ``every`` steps.

    Until a task's tail begins it stays what it was after the task before; in the first task it is
    the student. A tail is a step at least, and its first step is always taken.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.25
    every: Annotated[int, Field(ge=1)] = 1
    kind: Literal["tail"] = "tail"

    def weights(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        for start, end in zip(clock.task_starts, clock.task_ends, strict=True):
            length = max(1, round(self.share * (end - start)))
            if start == 0:
                w[: end - length] = 1
            taken = np.arange(end - length, end, self.every)
            w[taken] = 1 / np.arange(1, len(taken) + 1)
        return w
