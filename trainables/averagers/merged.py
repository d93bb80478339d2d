"""What a merge would make of the student at the ends of tasks, the student going on without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from trainables.averagers.base import Averager
from trainables.merges import Merge
from trainables.merges.interpolation import Interpolation

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Merged(Averager):
    """The weights that ``by`` makes at the end of a task, of a student that is not merged itself.

    Merges are no linear function of the students so far, so they are worked out at the ends of
    tasks and cannot teach. Its table is the student's own.
    """

    steers: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    by: Merge = Interpolation()
    kind: Literal["merged"] = "merged"

    def weights(self, clock: Clock) -> Table:
        return np.ones(clock.steps)
