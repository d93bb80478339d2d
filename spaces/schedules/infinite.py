"""A learning rate for streams without an end (arXiv:2403.08763, section 7; arXiv:2503.02844)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.schedules.base import Schedule, Table, Unit, whole_steps
from spaces.schedules.falls import Fall, fallen

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Infinite(Schedule):
    """From ``peak`` down to ``level`` times it within ``length``, and constant from there on.

    ``length`` is in steps, or a share of the first task, so that every later task begins at the
    constant rate; it is a step at least. The cool-down is a half cosine or ``inverse_root``. The
    warm-up is ``warmed``'s.

    The method's last phase is an annealing on a branch that is thrown away after it is deployed. A
    table of the stream has no branches: that is ``recipe.branch`` (``trainables/branches/``). An
    average that is followed along the constant phase may stand in for it at no cost.

    Anchors: a cool-down of 60% of the first budget, ``level`` 0.55 (1.65e-4 of 3e-4); neither could
    be established with certainty. Nor could the steepness of the inverse square root: ours goes
    in proportion to 1 / sqrt(step).
    """

    peak: Annotated[float, Field(ge=0)]
    level: Annotated[float, Field(ge=0, le=1)] = 0.55
    length: Annotated[float, Field(gt=0)] = 0.6
    unit: Unit = "tasks"
    fall: Fall = "cosine"
    kind: Literal["infinite"] = "infinite"

    def table(self, clock: Clock) -> Table:
        cool = max(1, whole_steps(self.length, self.unit, clock))
        x = np.minimum(1, np.arange(clock.steps) / cool)
        return self.peak * fallen(x, self.fall, self.level)
