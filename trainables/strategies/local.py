"""Local learning: the classes of the present task compete with each other only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from trainables.lessons import Lesson
from trainables.losses import cross_entropy
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Local(Strategy):
    """Cross-entropy over the classes of the present task, plus ``terms``.

    So that learning new classes does not push the logits of old ones down: what LAE
    (arXiv:2303.10070), SLCA (arXiv:2303.05118) and PyCIL's learning without forgetting train
    with. Every class may still be answered when it is tested. On streams whose tasks share their
    classes it is ``finetune``.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"new"})
    terms: tuple[Term, ...] = ()
    kind: Literal["local"] = "local"

    def loss(self, lesson: Lesson) -> Tensor:
        logits = lesson.forward(lesson.student, lesson.batch.x, lesson.batch.new)
        return added(cross_entropy(logits, lesson.batch.y), self.terms, lesson)
