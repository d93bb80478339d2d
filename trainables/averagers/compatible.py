"""The compatible momentum model of CTP: also drawn to the task before (Zhu et al., arXiv:2308.07146)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers.base import Averager
from trainables.averagers.live import Live

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spaces.clock import Clock
    from spaces.schedules.base import Table
    from trainables.importances.base import Passage


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Compatible(Live):
    """m <- tau m + (1 - tau) / 2 student + (1 - tau) / 2 previous, from the second task on.

    ``previous`` is the student at the end of the task before, and m begins each task as its copy.
    In the first task m <- tau m + (1 - tau) student. tau is ``first`` and ``later``, 0.995 and 0.9 in
    the authors' code. It may be followed: m at the end of a task is a convex combination of the
    students, in the memory of two averages; then it begins with the stream's first student, as a
    teacher with the student as drawn.
    """

    followed: ClassVar[bool] = True
    extra: ClassVar[int] = 1
    first: Annotated[Schedule, Within(0, 1)] = Constant(value=0.995)
    later: Annotated[Schedule, Within(0, 1)] = Constant(value=0.9)
    kind: Literal["compatible"] = "compatible"

    def weights(self, clock: Clock) -> Table:
        return self.weights_at(clock, clock.task_count - 1)

    def weights_at(self, clock: Clock, task: int) -> Table:
        start, end = clock.task_starts[task], clock.task_ends[task]
        if task == 0:
            w = 1 - self.first.table(clock)[:end]
            w[0] = 1
            return w
        tau = self.later.table(clock)[start:end]
        c = np.zeros(end)
        c[start:] = (1 - tau) / 2 * np.append(np.cumprod(tau[::-1])[-2::-1], 1.0)
        c[start - 1] = 1 - c.sum()
        w = np.divide(c, np.cumsum(c), out=np.zeros(end), where=c > 0)
        w[[0, start - 1]] = 1
        return w.clip(max=1)

    def begun(self, first: Tensor) -> dict[str, Tensor]:
        return {"previous": first.clone(), "half": first.new_zeros(len(first), 1)}

    def absorb_(
        self,
        average: Tensor,
        kept: Mapping[str, Tensor],
        passage: Passage,
        now: Mapping[str, Tensor],
    ) -> None:
        aim = torch.lerp(passage.after, kept["previous"], kept["half"])
        tau = torch.where(kept["half"] > 0, now["later"], now["first"])
        average.lerp_(aim, 1 - tau)

    def settle_(self, average: Tensor, kept: Mapping[str, Tensor], student: Tensor) -> None:
        for stack in (average, kept["previous"]):
            stack.copy_(student)
        kept["half"].fill_(0.5)
