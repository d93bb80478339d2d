"""Task arithmetic (Ilharco et al., arXiv:2212.04089): task vectors are added up."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge, total


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class TaskArithmetic(Merge):
    """initial + scale sum over tasks t so far of (end of t - initial).

    The paper fine-tunes on each task from ``initial``, as the pull ``{kind: at_tasks, at: start,
    toward: {kind: initial}}`` does. Without it each task begins where the one before ended and its
    vector has the earlier ones in it, as in MagMax' comparison (arXiv:2407.06322). The paper
    searches ``scale`` on validation sets between 0 and 1; the default is ours.
    """

    ends: ClassVar[bool] = True
    scale: Annotated[Schedule, Within(0, inf)] = Constant(value=0.4)
    kind: Literal["task_arithmetic"] = "task_arithmetic"

    def merged(self, at: Boundary) -> Tensor:
        return at.initial + at.now["scale"] * total(at.vectors)
