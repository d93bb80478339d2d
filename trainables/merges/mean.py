"""The mean of all tasks (mean-IMM: Lee et al., arXiv:1703.08475)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from trainables.merges.base import Boundary, Merge, total


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Mean(Merge):
    """The uniform mean of the student at the ends of all tasks so far, as they were trained.

    In IMM each task begins at the end of the one before (its weight transfer) and the means are
    only deployed: ``averagers: [{kind: merged, by: {kind: mean}}]``.
    """

    ends: ClassVar[bool] = True
    kind: Literal["mean"] = "mean"

    def merged(self, at: Boundary) -> Tensor:
        return total(at.ends.unbind(1)) / at.ends.shape[1]
