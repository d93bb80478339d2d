"""The slow weights of Lookahead (Zhang et al., arXiv:1907.08610)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Slow(Averager):
    """slow <- slow + share (student - slow) after every ``every``-th step of the stream.

    In between it stays. As a target it begins with the student as drawn, so that Lookahead is the
    pull ``{kind: steady, share: 1, every: 5, toward: {kind: slow, share: 0.5, every: 5}}``: both
    ``every`` are the paper's k, the share of the slow weights is its alpha (k 5 and alpha 0.5 to
    0.8 there). Followed instead it begins with the first student.
    """

    share: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    every: Annotated[int, Field(ge=1)] = 5
    kind: Literal["slow"] = "slow"

    def weights(self, clock: Clock) -> Table:
        w = self.teaching(clock)
        w[0] = 1
        return w

    def teaching(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        at = slice(self.every - 1, None, self.every)
        w[at] = self.share.table(clock)[at]
        return w
