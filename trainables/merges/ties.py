"""TIES: trim, elect a sign, disjoint mean (Yadav et al., arXiv:2306.01708)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge, total


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Ties(Merge):
    """initial + scale mean over tasks of the entries of their trimmed vectors that agree in sign.

    Trimmed: of each task vector the ``density`` largest in size of all its entries are kept (an
    entry at least, and all that are as large as the smallest of them), the others are 0. The sign
    elected for a weight is that of the sum over tasks; the mean is over entries of that sign.
    Density 0.2 and scale 1 are the paper's; MagMax' comparison has scale 0.55.
    """

    ends: ClassVar[bool] = True
    density: Annotated[Schedule, Within(0, 1)] = Constant(value=0.2)
    scale: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    kind: Literal["ties"] = "ties"

    def merged(self, at: Boundary) -> Tensor:
        count = (at.now["density"] * sum(at.layout.sizes)).round().long().clamp(min=1)
        trimmed = [_trimmed(vector, count) for vector in at.vectors]
        sign = total(trimmed).sign()
        agreeing = [v.sign() == sign for v in trimmed]
        mass = total(torch.where(a, v, 0) for v, a in zip(trimmed, agreeing, strict=True))
        votes = total((a & (v != 0)).float() for v, a in zip(trimmed, agreeing, strict=True))
        return at.initial + at.now["scale"] * mass / votes.clamp(min=1)


def _trimmed(vector: Tensor, count: Tensor) -> Tensor:
    """Its ``count`` [M, 1] largest entries and those as large as the last of them. [M, P]."""
    sizes = vector.abs()
    least = sizes.sort(dim=1, descending=True).values.gather(1, count - 1)
    return torch.where(sizes >= least, vector, 0)
