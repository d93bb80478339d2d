"""Momentum told by its horizon, the time constant of its forgetting."""

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
class Horizon(Schedule):
    """1 - 1 / max(1, H[t]): after H steps an average keeps about 1/e of what it held.

    H[t] is ``length`` in steps, or in shares of the task that step t is in; of a step or less it is
    a momentum of 0. The mean age of what is averaged is H - 1 steps, the half-life about 0.69 H.
    Anchors in tasks: CLS-ER on split CIFAR-10 0.07 to 0.64, LAE on CIFAR-100 9.6.
    """

    length: Annotated[Schedule, Within(0, np.inf, open_low=True)]
    unit: Unit
    kind: Literal["horizon"] = "horizon"

    def table(self, clock: Clock) -> Table:
        return 1 - 1 / np.maximum(1, in_steps(self.length.table(clock), self.unit, clock))
