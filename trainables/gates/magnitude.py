"""Gradients of the units that answer most (MIGU: Du et al., arXiv:2406.17245)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.gates.base import Gate


@Gate.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Magnitude(Gate):
    """Opens the ``share`` of a layer's units whose answers are largest on the batch; 1 opens all.

    MIGU: different tasks excite different units, so that each task trains its own. The L1
    normalisation within a layer that the paper applies changes no order. Of U units those
    of rank below share U are open, of equal ones the first. The default share is ours; the last
    layer is not gated, as it would starve classes that are new.
    """

    share: Annotated[Schedule, Within(0, 1, open_low=True)] = Constant(value=0.5)
    kind: Literal["magnitude"] = "magnitude"

    def opened(self, sizes: Tensor, now: Mapping[str, Tensor]) -> Tensor:
        order = sizes.argsort(descending=True, stable=True)
        ranks = order.argsort(stable=True)
        return ranks < now["share"] * len(sizes)
