"""Fitting and distillation by how many classes are old (WA: Zhao et al., arXiv:1911.07053)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.distillation import divergences
from trainables.lessons import Lesson
from trainables.losses import joined_cross_entropy
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Balanced(Strategy):
    """(1 - r) CE + r KL(teacher || student; old classes, Temp), plus ``terms``; r = old / (old + new).

    ``old`` counts the classes of earlier tasks and ``new`` those of this one, so that r is 0 in the
    first task and nears 1: what a method that keeps its balance distils more the more there is to
    keep. With the merge ``weight_aligning``, the ``previous`` student as the teacher, at temperature 2, it is
    WA. Both parts are means over the batch and what the memory shows again together. As in the paper
    there is no factor Temp^2.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"replay", "old", "new"})
    draw_count: ClassVar[int] = 1
    teacher: Averager = Previous()
    temperature: Annotated[Schedule, Within(0.01, inf)] = Constant(value=2.0)
    terms: tuple[Term, ...] = ()
    kind: Literal["balanced"] = "balanced"

    def loss(self, lesson: Lesson) -> Tensor:
        batch, replay = lesson.batch, lesson.batch.replay
        assert replay is not None
        assert batch.old is not None
        assert batch.new is not None
        old = batch.old.sum()
        r = old / (old + batch.new.sum())
        fit = joined_cross_entropy(*lesson.joined(lesson.student), batch)
        x = torch.cat([batch.x, replay.x[0]])
        mine = lesson.forward(lesson.student, x, batch.old)
        aim = lesson.forward(lesson.companions["teacher"], x, batch.old).detach()
        # Where r is above 0 there is a past, of which the memory shows as many samples as it ever does.
        kept = divergences(mine, aim, lesson.now["temperature"]).mean()
        return added((1 - r) * fit + r * kept, self.terms, lesson)
