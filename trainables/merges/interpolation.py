"""Interpolation between a task's beginning and its end (CoMA: arXiv:2312.08977; WiSE-FT: 2109.01903)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.merges.base import Boundary, Merge


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Interpolation(Merge):
    """anchor + share (student - anchor), the anchor being what the task or the stream began with.

    ``since: task`` is CoMA; ``since: stream`` is WiSE-FT, the zero-shot model as the anchor.
    """

    share: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    since: Literal["task", "stream"] = "task"
    kind: Literal["interpolation"] = "interpolation"

    def merged(self, at: Boundary) -> Tensor:
        anchor = at.start if self.since == "task" else at.initial
        return torch.lerp(anchor, at.student, at.now["share"])
