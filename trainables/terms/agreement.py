"""Agreement with a teacher's logits (Hinton et al., arXiv:1503.02531; LwF: arXiv:1606.09282)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement(Term):
    """weight Temp^2 KL(softmax(teacher / Temp) || softmax(student / Temp)), on the batch, in nats.

    Nothing in the first task, when a teacher has nothing to tell that the student should keep. The
    teacher is any average: ``previous`` makes learning without forgetting, ``ema`` a mean teacher.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"later"})
    teacher: Averager = Previous()
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    temperature: Annotated[Schedule, Within(0.01, inf)] = Constant(value=2.0)
    kind: Literal["agreement"] = "agreement"

    def value(self, lesson: Lesson) -> Tensor:
        assert lesson.batch.later is not None
        temperature = lesson.now["temperature"]
        mine = (lesson.logits(lesson.student) / temperature).log_softmax(-1)
        aim = (lesson.logits(lesson.companions["teacher"]) / temperature).log_softmax(-1).detach()
        apart = (aim.exp() * (aim - mine)).sum(-1).mean()
        return lesson.batch.later * lesson.now["weight"] * temperature * temperature * apart
