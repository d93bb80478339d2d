"""Agreement with a teacher's raw logits (Ba & Caruana, arXiv:1312.6184)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.distillation import SHOWN, Classes, Tasks, compared, counted, mean_over, taught
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class LogitAgreement(Term):
    """weight times the mean squared difference of the logits, over samples and classes.

    For logits of mean 0 it is twice what ``agreement`` tends to at a high temperature (Hinton et al.,
    arXiv:1503.02531, section 2.1). The weight's default is ours.
    """

    teacher: Averager = Previous()
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    classes: Classes = "all"
    tasks: Tasks = "later"
    kind: Literal["logit_agreement"] = "logit_agreement"

    def looks_at(self) -> frozenset[str]:
        return SHOWN[self.classes]

    def value(self, lesson: Lesson) -> Tensor:
        mine, aim = compared(lesson, lesson.companions["teacher"], self.classes)
        apart = mean_over((mine - aim).square(), counted(lesson, self.classes))
        return taught(lesson, self.tasks) * lesson.now["weight"] * apart
