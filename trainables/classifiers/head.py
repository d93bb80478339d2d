"""The network's own last layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from trainables.classifiers.base import Classifier

if TYPE_CHECKING:
    from trainables.learners import Learner
    from trainables.scenarios.base import Split


@Classifier.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Head(Classifier):
    """Answers what the network answers."""

    kind: Literal["head"] = "head"

    def answers(
        self, learner: Learner, seen: Sequence[Split], rows: Tensor, x: Tensor, mask: Tensor | None
    ) -> Tensor:
        del seen
        return learner.answers(rows, x, mask)
