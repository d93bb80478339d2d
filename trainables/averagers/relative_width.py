"""Power-law EMA told by its relative width (Karras et al., arXiv:2312.02696, eq. 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager
from trainables.averagers.power import Power

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class RelativeWidth(Averager):
    """``power`` of the gamma at which the ages averaged have the standard deviation ``width``.

    ``width`` is a share of the time elapsed:
    width^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)): 0.05 is a gamma of 16.97, 0.1 of 6.94, 0.15
    of 3.56, 0.2 of 1.83, 0.25 of 0.72; the widest, 1 / sqrt(12), is the mean of all.
    """

    width: Annotated[float, Field(ge=0.005, le=12**-0.5)]
    kind: Literal["relative_width"] = "relative_width"

    @property
    def gamma(self) -> float:
        """The largest root of g^3 + 7 g^2 + (16 - width^-2) g + 12 - width^-2."""
        inverse = self.width**-2
        return max(0.0, float(np.roots([1, 7, 16 - inverse, 12 - inverse]).real.max()))

    def weights(self, clock: Clock) -> Table:
        return Power(gamma=self.gamma).weights(clock)
