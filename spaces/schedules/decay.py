"""A peak, and a fall to a share of it at the end (WSD: Hu et al., arXiv:2404.06395, without the W)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table
from spaces.schedules.falls import Fall, fallen

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Decay(Schedule):
    """``peak``, which in the last ``share`` of the clock falls to ``ratio`` times itself.

    The fall begins at the last step at the peak and ends at the last step of all. A ``share`` of 1
    is a fall throughout. ``ratio`` is eta_end / eta_max, 0.1 in arXiv:2403.08763, whose repeated
    cosine is ``per_task`` of ``warmed`` of this; what averages gain shrinks as it goes to 0.

    WSD is ``warmed`` of this with a ``share`` of 0.1 to 0.2. WSD-S (arXiv:2410.05192), which decays
    in each task and then resumes the stable rate, is ``warmed`` of ``per_task`` of this.
    ``inverse_root`` with a share of 1 is rsqrt: after a warm-up of n steps out of N it is
    peak sqrt(n / step) where ``ratio`` is sqrt(n / N).
    """

    peak: Annotated[float, Field(ge=0)]
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    fall: Fall = "cosine"
    kind: Literal["decay"] = "decay"

    def table(self, clock: Clock) -> Table:
        last = clock.steps - 1
        at = max(0, last - max(1, round(self.share * clock.steps)))
        x = np.maximum(0, np.arange(clock.steps) - at) / max(1, last - at)
        return self.peak * fallen(x, self.fall, self.ratio)
