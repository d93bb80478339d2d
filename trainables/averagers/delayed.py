"""Another averager that begins late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Unit, whole_steps
from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Delayed(Wrapper):
    """Copies the student for ``length``, then is ``averager`` on the clock of the steps after.

    ``length`` is in steps, or a share of the clock's first task; in ``restarted``, of every task.
    Schedules in ``averager`` begin when it does, as with ``update_after_step`` in timm and
    ema-pytorch (where it is 100).
    """

    length: Annotated[float, Field(ge=0)]
    unit: Unit
    kind: Literal["delayed"] = "delayed"

    def weights(self, clock: Clock) -> Table:
        n = whole_steps(self.length, self.unit, clock)
        if n >= clock.steps:
            return np.ones(clock.steps)
        return np.concatenate([np.ones(n), self.averager.weights(clock.after(n))])
