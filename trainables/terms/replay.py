"""Learning what the memory shows again (Chaudhry et al., arXiv:1902.10486)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.lessons import Lesson
from trainables.losses import log_likelihoods
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Replay(Term):
    """weight times the mean cross-entropy of replayed samples; 0 while nothing is remembered.

    With DER's logits beside it this is the second draw of DER++ (Buzzega et al., arXiv:2004.07211),
    which learns logits and labels of samples drawn independently.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"replay"})
    draw: ClassVar[int] = 1
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    kind: Literal["replay"] = "replay"

    def value(self, lesson: Lesson) -> Tensor:
        replay = lesson.batch.replay
        assert replay is not None
        own = log_likelihoods(lesson.recalled(lesson.student, self.draw), replay.y[self.draw])
        return -lesson.now["weight"] * (replay.share[self.draw] * own).sum()
