"""Agreement with what the student itself answered when it met a sample (dark experience replay)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Logits(Term):
    """weight times the mean squared difference between replayed samples' logits, now and when stored.

    DER (Buzzega et al., arXiv:2004.07211, eq. 6; alpha is the weight), with {kind: replay} beside
    it DER++. The mean is over samples and classes, as in the paper's code; the equation's is over
    samples alone, so that its alpha is ours / classes. What is stored are the logits, in training, of the
    step that put the sample into the memory: memories that take a sample at its first visit only
    keep the answers of first epochs, so that over several a reservoir that is ``offered: always`` is due.

    Tuned there for split CIFAR-10: alpha 0.3; for DER++ 0.1 or 0.2, with 0.5 or 1 for replay.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"replay", "stored"})
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=0.5)
    kind: Literal["logits"] = "logits"

    def value(self, lesson: Lesson) -> Tensor:
        replay = lesson.batch.replay
        assert replay is not None
        assert replay.stored is not None
        apart = (lesson.recalled(lesson.student) - replay.stored[0]).square().mean(-1)
        return lesson.now["weight"] * (replay.share[0] * apart).sum()
