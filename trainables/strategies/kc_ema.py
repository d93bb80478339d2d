"""KC-EMA: distillation that minds the decision boundary (Nie et al., CVPR 2024, arXiv:2406.03065)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.consolidated import Consolidated
from trainables.lessons import Lesson
from trainables.losses import log_likelihoods
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class KcEma(Strategy):
    """KL(q || student(x)) + dusted KL(teacher(x_d) || student(x_d)), means over the batch in nats.

    The fused label q = label onehot(y) + (1 - label) softmax(teacher(x) / temperature); the dusted
    input x_d = x + sigma n, n standard normal, which may look like another class and whose own label is
    not used. In the first task, which makes the base model, it is plain cross-entropy.

    The paper's formulas are not to be had (its public copies lack them), and so this is a
    reconstruction of what its text describes: ``label``, ``temperature``, ``dusted`` and
    ``sigma`` (in units of the input) are ours and worth a search. KL(q || p) is cross-entropy less q's
    entropy, which has no slope. A student that begins each task as the teacher is
    {kind: at_tasks, at: start, toward: <the teacher>} among the ``pulls``; deployed is the teacher.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"later", "noise"})
    teacher: Averager = Consolidated()
    label: Annotated[Schedule, Within(0, 1)] = Constant(value=0.5)
    temperature: Annotated[Schedule, Within(0.01, inf)] = Constant(value=1.0)
    dusted: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    sigma: Annotated[Schedule, Within(0, inf)] = Constant(value=0.5)
    terms: tuple[Term, ...] = ()
    kind: Literal["kc_ema"] = "kc_ema"

    def loss(self, lesson: Lesson) -> Tensor:
        batch, now, teacher = lesson.batch, lesson.now, lesson.companions["teacher"]
        assert batch.later is not None
        assert batch.noise is not None
        own = lesson.logits(lesson.student)
        aim = (lesson.logits(teacher) / now["temperature"]).log_softmax(-1).detach()
        told = batch.later * (1 - now["label"])
        fused = (1 - told) * -log_likelihoods(own, batch.y).mean()
        loss = fused + told * -(aim.exp() * own.log_softmax(-1)).sum(-1).mean()
        dust = batch.x + now["sigma"] * batch.noise
        aim = lesson.forward(teacher, dust, batch.mask).log_softmax(-1).detach()
        mine = lesson.forward(lesson.student, dust, batch.mask).log_softmax(-1)
        apart = (aim.exp() * (aim - mine)).sum(-1).mean()
        loss = loss + batch.later * now["dusted"] * apart
        return added(loss, self.terms, lesson)
