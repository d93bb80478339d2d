"""Experience replay: the batch and samples of the past as one batch (Chaudhry et al., arXiv:1902.10486)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from trainables.lessons import Lesson
from trainables.losses import joined_cross_entropy
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Replay(Strategy):
    """Mean cross-entropy over the B samples of the batch and the R shown again, plus ``terms``.

    Each sample counts 1 / (B + R), and 1 / B while nothing is remembered: as in the code of DER
    (Buzzega et al., arXiv:2004.07211). With the past at a weight of its own it is {kind: finetune,
    terms: [{kind: replay, weight: ...}]}. A stream batch and a memory batch of 10 in the paper, 32
    in DER's code.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"replay"})
    draw_count: ClassVar[int] = 1
    terms: tuple[Term, ...] = ()
    kind: Literal["replay"] = "replay"

    def loss(self, lesson: Lesson) -> Tensor:
        own, past = lesson.joined(lesson.student)
        return added(joined_cross_entropy(own, past, lesson.batch), self.terms, lesson)
