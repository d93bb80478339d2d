"""Losses that strategies share, in as few kernels as they can be written."""

from __future__ import annotations

from torch import Tensor


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean negative log-likelihood, in nats. ``logits`` [B, C], ``y`` int64 [B] in [0, C).

    As ``torch.nn.functional.cross_entropy`` without its search for labels to ignore, which costs
    a dozen kernels a step on labels that are always there.
    """
    return -log_likelihoods(logits, y).mean()


def log_likelihoods(logits: Tensor, y: Tensor) -> Tensor:
    """Log p(y | x) of each sample, in nats. [...] of [..., C] and int64 [...]; also of ONE sample."""
    return logits.log_softmax(-1).gather(-1, y.unsqueeze(-1)).squeeze(-1)
