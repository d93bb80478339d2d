"""Readers: a classifier at one moment of a stream, asked for the answers of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from trainables.classifiers import Classifier
    from trainables.learners import Learner
    from trainables.scenarios.base import Split


@dataclass(frozen=True, slots=True)
class Reader:
    """What rows answer by ``classifier`` once the training samples ``seen`` were seen."""

    classifier: Classifier
    learner: Learner
    seen: Sequence[Split]

    def judged(self, rows: Tensor, students: Tensor, mates: Sequence[int]) -> Tensor:
        """What is judged of ``rows`` [R, P], of which the i-th follows student ``mates[i]``. [R, Q]."""
        if not self.classifier.paired:
            return rows
        return self.classifier.judged(self.learner, rows, students[list(mates)])

    def start(self, device: torch.device) -> Tensor:
        """What is judged of the weights that training started from. [1, Q]."""
        row = self.learner.start.to(device).unsqueeze(0)
        return self.judged(row, row, [0])

    def answers(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of each row [R, Q]. [R, B, C]."""
        return self.classifier.answers(self.learner, self.seen, rows, x, mask)
