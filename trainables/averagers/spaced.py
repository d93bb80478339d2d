"""Another averager that takes the student in every few steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Spaced(Wrapper):
    """Acts at every step t with t mod ``every`` = 0, and skips the others.

    It keeps then what ``averager`` would have kept over the steps since: prod(1 - w) of them.
    What ``ema`` does by itself (momentum^k of k steps), for every other kind: of ``power`` it makes
    the momentum (1 - k / t)^(gamma + 1) at the t-th step, that of EDM2's code (arXiv:2312.02696).
    """

    every: Annotated[int, Field(ge=1)]
    kind: Literal["spaced"] = "spaced"

    def weights(self, clock: Clock) -> Table:
        kept = 1 - self.averager.weights(clock)
        w = np.zeros(clock.steps)
        w[0] = 1
        updates = len(w[self.every :: self.every])
        since = kept[1 : 1 + updates * self.every].reshape(-1, self.every)
        w[self.every :: self.every] = 1 - since.prod(axis=1)
        return w
