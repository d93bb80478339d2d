"""An EMA that follows faster the further its student has gone: momentum from a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers.base import Averager
from trainables.averagers.live import Live, between, row_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.importances.base import Passage


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ByDrift(Live):
    """Momentum between ``high``, where the student is at the average, and ``low``, far from it.

    The drift is ||student - average|| in steps: over a running mean, by ``smoothing``, of the
    length of the student's steps, the first of them to begin with. The horizon 1 / (1 - momentum) is
    ``steps`` / (``steps`` + drift) of the way from that of ``low`` to that of ``high``, half of it
    at a drift of ``steps``. The rule is ours.
    """

    low: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    high: Annotated[Schedule, Within(0, 1)] = Constant(value=0.999)
    steps: Annotated[Schedule, Within(0, inf, open_low=True)] = Constant(value=10.0)
    smoothing: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    kind: Literal["by_drift"] = "by_drift"

    def begun(self, first: Tensor) -> dict[str, Tensor]:
        return {"length": first.new_zeros(len(first), 1)}

    def absorb_(
        self,
        average: Tensor,
        kept: Mapping[str, Tensor],
        passage: Passage,
        now: Mapping[str, Tensor],
    ) -> None:
        step = row_sums((passage.after - passage.before).square()).sqrt()
        far = row_sums((passage.after - average).square()).sqrt()
        mean = now["smoothing"] * kept["length"] + (1 - now["smoothing"]) * step
        kept["length"].copy_(torch.where(kept["length"] > 0, mean, step))
        drift = torch.where(far > 0, far / kept["length"], 0)
        near = now["steps"] / (now["steps"] + drift)
        average.lerp_(passage.after, between(now["low"], now["high"], near))
