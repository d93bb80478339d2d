"""An EMA that averages longer the more the gradient is noise: momentum from a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

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
class ByGradientNoise(Live):
    """Momentum between ``low``, where gradients agree, and ``high``, where they are noise.

    Noise is 1 - max(0, cos(gradient, gradient of the step before)), of the whole loss, a running
    mean of it by ``smoothing`` (which starts at 1): 1 where successive batches say unrelated
    things, as once a task is learnt, near 0 where they all point one way, as when a new task
    begins. The horizon 1 / (1 - momentum) goes from that of ``low`` to that of ``high`` as noise goes
    from 0 to 1. The rule is ours; it stands for the momenta driven by gradient noise that surveys
    speak of without one.
    """

    extra: ClassVar[int] = 1
    low: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    high: Annotated[Schedule, Within(0, 1)] = Constant(value=0.999)
    smoothing: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    kind: Literal["by_gradient_noise"] = "by_gradient_noise"

    def begun(self, first: Tensor) -> dict[str, Tensor]:
        one = first.new_ones(len(first), 1)
        return {"gradient": torch.zeros_like(first), "length": one * 0, "noise": one}

    def absorb_(
        self,
        average: Tensor,
        kept: Mapping[str, Tensor],
        passage: Passage,
        now: Mapping[str, Tensor],
    ) -> None:
        length = row_sums(passage.gradient.square()).sqrt()
        both = length * kept["length"]
        along = row_sums(passage.gradient * kept["gradient"])
        cosine = torch.where(both > 0, along / both, 0).clamp(0, 1)
        kept["noise"].copy_(
            now["smoothing"] * kept["noise"] + (1 - now["smoothing"]) * (1 - cosine)
        )
        kept["gradient"].copy_(passage.gradient)
        kept["length"].copy_(length)
        average.lerp_(passage.after, between(now["low"], now["high"], kept["noise"]))
