"""Interpolation between a task's beginning and its end (CoMA: arXiv:2312.08977; WiSE-FT: 2109.01903)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Interpolation(Merge):
    """anchor + share (student - anchor), the anchor being what the task or the stream began with.

    ``since: task`` is CoMA (share 0.4 on CIFAR-100, 0.5 elsewhere); ``since: stream`` is WiSE-FT, the
    zero-shot model as the anchor. Students are left alone at the ends of tasks before
    ``from_task`` (from 0): the first one begins with random weights, unless the network comes
    trained, which is 0.
    """

    share: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    from_task: Annotated[int, Field(ge=0)] = 1
    since: Literal["task", "stream"] = "task"
    kind: Literal["interpolation"] = "interpolation"

    def merged(self, at: Boundary) -> Tensor:
        if at.task < self.from_task:
            return at.student
        anchor = at.start if self.since == "task" else at.initial
        return torch.lerp(anchor, at.student, at.now["share"])
