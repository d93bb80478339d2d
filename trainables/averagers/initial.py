"""The weights that the stream began with, for ever: the anchor of task vectors, the random teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Initial(Averager):
    """The student as it was drawn, or with ``draw`` weights drawn anew and unlike the student's.

    A frozen random teacher is the control of every teacher (Sarnthein et al., arXiv:2302.12091).
    Followed instead of teaching it is the student after the first step, since averages are made of
    trained students only.
    """

    draw: Annotated[int, Field(ge=1)] | None = None
    kind: Literal["initial"] = "initial"

    def weights(self, clock: Clock) -> Table:
        w = np.zeros(clock.steps)
        w[0] = 1
        return w

    def teaching(self, clock: Clock) -> Table:
        return np.zeros(clock.steps)

    @property
    def drawn(self) -> int | None:
        return self.draw
