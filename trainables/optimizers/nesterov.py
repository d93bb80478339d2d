"""Stochastic gradient descent with Nesterov momentum, as ``torch.optim.SGD(nesterov=True)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.optimizers.base import Optimizer, Slots


@Optimizer.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Nesterov(Optimizer):
    """h = g + decay w; v <- momentum v + h; w <- w - lr (h + momentum v)."""

    memory: ClassVar[tuple[str, ...]] = ("velocity",)
    lr: Annotated[Schedule, Within(0, inf)]
    momentum: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    decay: Annotated[Schedule, Within(0, inf)] = Constant(value=0.0)
    kind: Literal["nesterov"] = "nesterov"

    def update_(
        self, slots: Slots, memory: Mapping[str, Tensor], now: Mapping[str, Tensor]
    ) -> None:
        velocity, momentum = memory["velocity"], now["optimizer.momentum"]
        slots.gradients.addcmul_(slots.weights, now["optimizer.decay"])
        torch.addcmul(slots.gradients, velocity, momentum, out=velocity)
        slots.gradients.addcmul_(velocity, momentum)
        torch.addcmul(slots.weights, slots.gradients, now["optimizer.lr"], value=-1, out=slots.out)
