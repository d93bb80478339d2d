"""A length that grows with the time elapsed, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Elapsed(Schedule):
    """min(limit[t], rate (t + 1)), t the step, from 0.

    As the ``length`` of a ``half_life`` in steps with ``rate`` 0.09 it is the traditional average
    of EDM (Karras et al., arXiv:2312.02696, the code's TraditionalEMA), whose half-life is at most
    0.09 of the training so far.
    """

    limit: Annotated[Schedule, Within(0, np.inf, open_low=True)]
    rate: Annotated[float, Field(gt=0)] = 0.09
    kind: Literal["elapsed"] = "elapsed"

    def table(self, clock: Clock) -> Table:
        return np.minimum(self.limit.table(clock), self.rate * (1 + np.arange(clock.steps)))
