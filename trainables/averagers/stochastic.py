"""Another averager that takes the student in by chance (CLS-ER: Arani et al., arXiv:2201.12604)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Stochastic(Wrapper):
    """Step t is taken in as ``averager`` does with the chance probability[t], else not at all.

    The chances are drawn from ``seed`` and the same in every run. A skipped step is not made up
    for: an EMA of momentum m is as long as one of a horizon of 1 / (probability (1 - m)) steps. In
    CLS-ER, whose EMAs have a ``mean_ramp``, the stable model's probability is 0.7 and the plastic
    one's 0.9 by default; 0.04 to 1 were chosen.
    """

    probability: Annotated[Schedule, Within(0, 1)]
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["stochastic"] = "stochastic"

    def weights(self, clock: Clock) -> Table:
        chance = np.random.default_rng(self.seed).random(clock.steps)
        taken = chance < self.probability.table(clock)
        taken[0] = True
        return np.where(taken, self.averager.weights(clock), 0.0)
