"""Losses that strategies share, in as few kernels as they can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from trainables.scenarios.base import Batch


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean negative log-likelihood, in nats. ``logits`` [B, C], ``y`` int64 [B] in [0, C).

    As ``torch.nn.functional.cross_entropy`` without its search for labels to ignore, which costs
    a dozen kernels a step on labels that are always there.
    """
    return -log_likelihoods(logits, y).mean()


def log_likelihoods(logits: Tensor, y: Tensor) -> Tensor:
    """Log p(y | x) of each sample, in nats. [...] of [..., C] and int64 [...]; also of ONE sample."""
    return logits.log_softmax(-1).gather(-1, y.unsqueeze(-1)).squeeze(-1)


def joined_cross_entropy(own: Tensor, past: Tensor, batch: Batch) -> Tensor:
    """Mean over the batch's samples and those shown again together: the sum of all / their number.

    ``own`` [B, C] and ``past`` [R, C] are their logits. While nothing is remembered, of the batch.
    """
    replay = batch.replay
    assert replay is not None, "a strategy that recalls says so in needs"
    there = past.shape[0] * replay.share[0]  # 1 for each sample that is shown again
    total = log_likelihoods(own, batch.y).sum() + (there * log_likelihoods(past, replay.y[0])).sum()
    return -total / (own.shape[0] + there.sum())
