"""Agreement with a teacher's logits (Hinton et al., arXiv:1503.02531; LwF: arXiv:1606.09282)."""

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
from trainables.distillation import SHOWN, Classes, Tasks, compared, divergence, taught
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement(Term):
    """weight Temp^2 KL(softmax(teacher / Temp) || softmax(student / Temp)), on the batch, in nats.

    Learning without forgetting (Li & Hoiem, arXiv:1606.09282, eq. 2-4) is ``classes: old`` with the
    ``previous`` student as the teacher, at temperature 2; with ``seen`` the probabilities are of all
    classes so far (local and global prediction distillation in Smith et al., arXiv:2203.17269).
    An ``ema`` as the teacher makes a mean teacher of it, ``tasks: all`` has it teach from the start.

    The factor Temp^2 is Hinton's. PyCIL and mammoth leave it out: their weight is Temp^2 times this
    one (4 times at temperature 2). Li & Hoiem minimise the cross-entropy with the teacher's
    probabilities, whose slopes are those of the divergence.
    """

    teacher: Averager = Previous()
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    temperature: Annotated[Schedule, Within(0.01, inf)] = Constant(value=2.0)
    classes: Classes = "all"
    tasks: Tasks = "later"
    kind: Literal["agreement"] = "agreement"

    def looks_at(self) -> frozenset[str]:
        return SHOWN[self.classes]

    def value(self, lesson: Lesson) -> Tensor:
        mine, aim = compared(lesson, lesson.companions["teacher"], self.classes)
        apart = divergence(mine, aim, lesson.now["temperature"])
        return taught(lesson, self.tasks) * lesson.now["weight"] * apart
