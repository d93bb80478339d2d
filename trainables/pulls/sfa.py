"""Sequential fine-tuning with averaging (SFA, "Soup to go": Kleiman et al., arXiv:2501.05559)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.pulls.base import Kept, Pull

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Pull.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Sfa(Pull):
    """student <- (1 - beta) student + beta anchor after every ``share`` of a task and at its end.

    Of a task of N steps it is after step s = 1, ..., N where s % round(share N) = 0 (a step at
    least) or s = N, once. ``beta`` is the weight of the OLD weights. ``share: 1`` is one average a
    task, which is CoMA (arXiv:2312.08977) and ``{kind: interpolation, share: 1 - beta}``.

    With D_j what the student moves between merges j and j + 1 of K, the task moves it
    sum_j (1 - beta)^(K - j + 1) D_j: as decoupled weight decay toward the anchor at rate
    -ln(1 - beta) / (lr share N) would. So beta and ``share`` are no independent knobs: what a task
    keeps is ruled by -ln(1 - beta) / share, to be held fixed where the frequency is compared.

    Tasks before ``from_task`` (from 0) are left alone: the first one begins with random weights,
    which are nothing to go back to. Give 0 for a network that comes trained. The paper's values of
    beta and share were not to be had; the defaults are ours.
    """

    toward: Averager = Previous()
    beta: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    share: Annotated[float, Field(gt=0, le=1)] = 0.25
    from_task: Annotated[int, Field(ge=0)] = 1
    optimizer: Kept = "keep"
    kind: Literal["sfa"] = "sfa"

    def table(self, clock: Clock) -> Table:
        b, beta = np.zeros(clock.steps), self.beta.table(clock)
        for start, end in list(zip(clock.task_starts, clock.task_ends, strict=True))[
            self.from_task :
        ]:
            every = max(1, round(self.share * (end - start)))
            at = [*range(start + every - 1, end, every), end - 1]
            b[at] = beta[at]
        return b
