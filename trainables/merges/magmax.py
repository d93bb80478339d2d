"""MagMax (Marczak et al., arXiv:2407.06322): each weight of the task that moved it furthest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Magmax(Merge):
    """initial + scale v, each entry of v being that of the task vector where it is largest in size.

    Of equal sizes the later task's. The tasks are trained one after the other, each from the end of
    the one before, and a vector is since the stream's start. 0.5 is the paper's ``scale``.
    """

    ends: ClassVar[bool] = True
    scale: Annotated[Schedule, Within(0, inf)] = Constant(value=0.5)
    kind: Literal["magmax"] = "magmax"

    def merged(self, at: Boundary) -> Tensor:
        return at.initial + at.now["scale"] * reduce(_furthest, at.vectors)


def _furthest(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(b.abs() >= a.abs(), b, a)
