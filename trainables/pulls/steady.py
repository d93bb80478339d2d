"""Pulls that come every so many steps (Switch EMA: arXiv:2402.09240; Lookahead: arXiv:1907.08610)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.pulls.base import Kept, Pull

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Pull.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Steady(Pull):
    """After every ``every``-th step of the stream the student goes ``share`` of the way.

    Toward an ``ema`` with share 1 this is Switch EMA, and Hare and Tortoise (arXiv:2406.02596).
    """

    toward: Averager = Ema(momentum=Constant(value=0.99))
    share: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    every: Annotated[int, Field(ge=1)] = 50
    optimizer: Kept = "keep"
    kind: Literal["steady"] = "steady"

    def table(self, clock: Clock) -> Table:
        b = np.zeros(clock.steps)
        at = slice(self.every - 1, None, self.every)
        b[at] = self.share.table(clock)[at]
        return b
