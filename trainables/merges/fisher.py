"""Interpolation weighed by Fisher information (CoFiMA: Marouf et al., arXiv:2312.08977)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Fisher(Merge):
    """((1 - a) F0 start + a F1 student) / ((1 - a) F0 + a F1), weight by weight; a is ``share``.

    F1 is the diagonal of the empirical Fisher information of this task, F0 that of the task before,
    each at that task's end as it was trained and cut off at ``most``. To both ``floor`` is added, so
    that what neither task cares for is interpolated plainly: the authors' code divides 0 by 0
    there. The last layer's rows of classes that are new are the student's: the code shrinks them by their
    Fisher information. It takes slopes of whole batches, we of samples, as the information is
    defined. In the first task, which has no F0, nothing happens.

    ``share`` is 0.4 on CIFAR-100 and 0.5 elsewhere, ``most`` 1e-4 in the code; ``floor`` is ours.
    """

    ends: ClassVar[bool] = True
    fishers: ClassVar[bool] = True
    share: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    most: Annotated[float, Field(ge=1e-30)] = 1e-4
    floor: Annotated[float, Field(ge=1e-30, le=1)] = 1e-12
    kind: Literal["fisher"] = "fisher"

    def merged(self, at: Boundary) -> Tensor:
        assert at.fishers is not None
        if at.task == 0:
            return at.student
        share = at.now["share"]
        old = (1 - share) * (at.fishers[:, -2].clamp(max=self.most) + self.floor)
        new = share * (at.fishers[:, -1].clamp(max=self.most) + self.floor)
        merged = (old * at.start + new * at.student) / (old + new)
        return torch.where(_new_rows(at), at.student, merged)


def _new_rows(at: Boundary) -> Tensor:
    """Whether a weight is of the last layer's row of a class never seen before. Bool [P]."""
    names, shapes = at.layout.names, at.layout.shapes
    last = names[len(names) - at.layout.buffers - 1].rpartition(".")[0] + "."
    classes, parts = at.new & ~at.old, []
    for name, shape in zip(names, shapes, strict=True):
        head = name.startswith(last) and shape[:1] == classes.shape
        parts.append(
            classes.repeat_interleave(prod(shape[1:])) if head else classes.new_zeros(prod(shape))
        )
    parts.append(classes.new_zeros(at.layout.width - sum(at.layout.sizes)))
    return torch.cat(parts)
