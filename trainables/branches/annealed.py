"""A branch whose learning rate is annealed (arXiv:2403.08763, section 7; arXiv:2503.02844)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.falls import Fall, fallen
from trainables.branches.base import Branch

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Branch.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Annealed(Branch):
    """r falls from 1 to ``ratio`` over the last n steps of a task, n its ``length``: a share of the task.

    At step j = 1, ..., n of them r is what ``fall`` leaves at j / n of the way (``spaces/schedules/
    falls.py``). Exponential, it is the last phase of an infinite schedule,
    eta_const (eta_min / eta_const)^(j / n), with which the papers anneal what they deploy; a ratio of 0 is
    for the others. Published forms of the exponent disagree; this one reaches eta_min at the last
    step. n is a step at least. The papers anneal over about 15 % of a budget; that, and the ratio that
    they anneal to, could not be established: both defaults are ours.
    """

    length: Annotated[float, Field(gt=0, le=1)] = 0.2
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    fall: Fall = "exponential"
    kind: Literal["annealed"] = "annealed"

    def rates(self, clock: Clock) -> Table:
        out = np.ones(clock.steps)
        for start, end in zip(clock.task_starts, clock.task_ends, strict=True):
            n = max(1, round(self.length * (end - start)))
            out[end - n : end] = fallen(np.arange(1, n + 1) / n, self.fall, self.ratio)
        return out
