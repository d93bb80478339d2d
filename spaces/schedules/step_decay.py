"""A peak that drops by equal factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class StepDecay(Schedule):
    """peak ratio^(d / n) after d of the n drops, which come at the shares ``at`` of the clock.

    ``ratio`` is what is left of the peak after all of them. The defaults divide by 10 at one half
    and at three quarters (He et al., arXiv:1512.03385, in proportion).
    """

    peak: Annotated[float, Field(ge=0)]
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.01
    at: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] = (
        0.5,
        0.75,
    )
    kind: Literal["step_decay"] = "step_decay"

    def table(self, clock: Clock) -> Table:
        gone = np.arange(clock.steps)[:, None] / clock.steps
        drops = (gone >= np.array(self.at)).mean(axis=1)
        return self.peak * self.ratio**drops
