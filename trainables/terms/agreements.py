"""Agreement with several teachers (MKD: Michel et al., arXiv:2309.02870)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.distillation import SHOWN, Classes, Tasks, counted, divergence, taught
from trainables.lessons import Lesson
from trainables.terms.base import Term

SPACED: tuple[Averager, ...] = tuple(
    Ema(momentum=Constant(value=tau)) for tau in (0.9, 0.95, 0.99, 0.995)
)
"""The update weights .1, .05, .01 and .005 that the authors' code gives four teachers."""


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Agreements(Term):
    """weight times the mean over ``teachers`` of Temp^2 KL(teacher || student), on the batch, in nats.

    Momentum knowledge distillation has ``ema`` teachers of log-spaced horizons beside any other
    loss. Temperature 4 and weight 5.5 are its code's (for DER++ on CIFAR-100 with 5,000 samples in the
    memory). The code starts its teachers at about 1 % of the student's weights and
    means to correct that, but does not; here a teacher starts as the student, e_0 = theta_0. The
    paper takes the mean of a raw and of an augmented view; here there is one view.
    """

    teachers: Annotated[tuple[Averager, ...], Field(min_length=1)] = SPACED
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=5.5)
    temperature: Annotated[Schedule, Within(0.01, inf)] = Constant(value=4.0)
    classes: Classes = "all"
    tasks: Tasks = "all"
    kind: Literal["agreements"] = "agreements"

    def looks_at(self) -> frozenset[str]:
        return SHOWN[self.classes]

    def value(self, lesson: Lesson) -> Tensor:
        mask = counted(lesson, self.classes)
        mine = lesson.forward(lesson.student, lesson.batch.x, mask)
        aims = [
            lesson.forward(lesson.companions[f"teachers.{i}"], lesson.batch.x, mask).detach()
            for i in range(len(self.teachers))
        ]
        apart = [divergence(mine, aim, lesson.now["temperature"]) for aim in aims]
        return taught(lesson, self.tasks) * lesson.now["weight"] * torch.stack(apart).mean()
