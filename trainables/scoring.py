"""Scoring: how many samples of a split each row of weights gets right."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.learners import Learner
from trainables.scenarios.base import Split

SAMPLES = {"cpu": 2048}
"""Rows times samples answered at once. Measured: their activations still fit the cache of a core."""

SAMPLES_ELSEWHERE = 2**18
"""Enough to fill a GPU; a guess, never measured on one."""


@torch.no_grad()
def score(learner: Learner, rows: Tensor, split: Split, mask: Tensor | None) -> Tensor:
    """Accuracy of each row. Float64 [R]; NaN where weights or answers are not finite."""
    size = max(1, SAMPLES.get(rows.device.type, SAMPLES_ELSEWHERE) // len(split))
    parts = [_correct(learner, part, split, mask) for part in torch.split(rows, size)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def _correct(learner: Learner, rows: Tensor, split: Split, mask: Tensor | None) -> Tensor:
    answers = learner.answers(rows, split.x, mask)
    # The indices of max are those of argmax, in half the time.
    right = (answers.max(-1).indices == split.y).sum(-1, dtype=torch.float64) / len(split)
    finite = _finite(rows) & _finite(answers.flatten(1))
    return right.where(finite, torch.nan)


def _finite(rows: Tensor) -> Tensor:
    """Whether all numbers in each row are finite. Bool [R] of [R, n]."""
    # A sum is finite only if every term is. To look at each costs forty times as much, and is
    # left to when a sum is not: it may have overflowed.
    sums = rows.sum(-1).isfinite()
    return sums if bool(sums.all()) else rows.isfinite().all(-1)
