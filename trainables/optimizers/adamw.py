"""Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101), as ``torch.optim.AdamW``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.optimizers.base import Optimizer, Slots

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Optimizer.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Adamw(Optimizer):
    """m, v: moving averages of g, g^2; w <- (1 - lr decay) w - lr m/c1 / (sqrt(v/c2) + eps).

    c1 and c2 are what m and v would be were every gradient 1: 1 - beta**t for a constant beta,
    1 - the product of the betas so far for one on a schedule. A beta is below 1: at 1 nothing
    would ever be remembered. ``eps`` is no smaller than float32 can tell from 0.
    """

    memory: ClassVar[tuple[str, ...]] = ("first", "second")
    lr: Annotated[Schedule, Within(0, inf)]
    beta1: Annotated[Schedule, Within(0, 0.999_999)] = Constant(value=0.9)
    beta2: Annotated[Schedule, Within(0, 0.999_999)] = Constant(value=0.999)
    eps: Annotated[Schedule, Within(1e-30, inf)] = Constant(value=1e-8)
    decay: Annotated[Schedule, Within(0, inf)] = Constant(value=0.01)
    kind: Literal["adamw"] = "adamw"

    def derived(self, clock: Clock, restarts: Table) -> dict[str, Table]:
        lr, beta1, beta2 = (s.table(clock) for s in (self.lr, self.beta1, self.beta2))
        return {
            "optimizer.take1": 1 - beta1,
            "optimizer.take2": 1 - beta2,
            "optimizer.keep": 1 - lr * self.decay.table(clock),
            "optimizer.stride": lr / (1 - _products(beta1, restarts)),
            "optimizer.scale": np.sqrt(1 - _products(beta2, restarts)),
        }

    def update_(
        self, slots: Slots, memory: Mapping[str, Tensor], now: Mapping[str, Tensor]
    ) -> None:
        first, second, g = memory["first"], memory["second"], slots.gradients
        first.lerp_(g, now["optimizer.take1"])
        second.mul_(now["optimizer.beta2"])
        second.addcmul_(g.square_(), now["optimizer.take2"])
        root = torch.sqrt(second, out=g).div_(now["optimizer.scale"]).add_(now["optimizer.eps"])
        step = torch.div(first, root, out=root)
        torch.mul(slots.weights, now["optimizer.keep"], out=slots.out)
        slots.out.addcmul_(step, now["optimizer.stride"], value=-1)


def _products(beta: Table, restarts: Table) -> Table:
    """The product of the betas since the memory was last cleared. [steps]."""
    starts = np.flatnonzero(restarts)
    return np.concatenate([np.cumprod(part) for part in np.split(beta, starts)])
