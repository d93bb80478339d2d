"""No averaging: the student itself, so that a search may find that averaging does not pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Student(Averager):
    """Copies the student after every step."""

    kind: Literal["student"] = "student"

    def weights(self, clock: Clock) -> Table:
        return np.ones(clock.steps)
