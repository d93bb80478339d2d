"""Scoring: how many samples of a split each row of weights gets right."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.learners import Learner
from trainables.scenarios.base import Split

SAMPLES = 2048
"""Rows times samples answered at once. Measured: their activations still fit the cache of a core."""


@torch.no_grad()
def score(learner: Learner, rows: Tensor, split: Split, mask: Tensor | None) -> Tensor:
    """Accuracy of each row. Float64 [R]; NaN where weights or answers are not finite."""
    size = max(1, SAMPLES // len(split))
    parts = [_correct(learner, part, split, mask) for part in torch.split(rows, size)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def _correct(learner: Learner, rows: Tensor, split: Split, mask: Tensor | None) -> Tensor:
    answers = learner.answers(rows, split.x, mask)
    right = (answers.argmax(-1) == split.y).sum(-1, dtype=torch.float64) / len(split)
    finite = rows.isfinite().all(-1) & answers.isfinite().all(-1).all(-1)
    return right.where(finite, torch.nan)
