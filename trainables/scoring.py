"""Scoring: how well each row of weights answers the samples of a split, by one measure or several.

All measures are of the same answers, the logits of the classes that may be answered, and a row
scores alike to the last bit whatever other rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

from trainables.scenarios.base import Split

Measure: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Of logits [R, B, C] and labels [B], one number a row [R]."""


class Answering(Protocol):
    def answers(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of each row [R, Q] on the same x. [R, B, C]."""


SAMPLES = {"cpu": 2048}
"""Rows times samples answered at once. Measured: their activations still fit the cache of a core."""

SAMPLES_ELSEWHERE = 2**18
"""Enough to fill a GPU; a guess, never measured on one."""

BINS = 15
"""Of confidence, equally wide (Guo et al., arXiv:1706.04599, section 5)."""


@torch.no_grad()
def score(
    reader: Answering,
    stacks: Sequence[Tensor],
    split: Split,
    mask: Tensor | None,
    measures: Sequence[str] = ("accuracy",),
) -> Tensor:
    """Each row of the stacks [R, P], one stack after the other, by each measure.

    Float64 [R, len(measures)], on the host. NaN where weights or answers are not finite.
    """
    parts = [_scored(a, split.y, measures) for a in _answered(reader, stacks, split, mask)]
    return torch.cat(parts) if parts else torch.empty(0, len(measures), dtype=torch.float64)


@torch.no_grad()
def choices(
    reader: Answering, stacks: Sequence[Tensor], split: Split, mask: Tensor | None
) -> Tensor:
    """The class that each row answers to each sample; -1 where it fails. int64 [R, B], on the host."""
    parts = [
        _first_best(answers).masked_fill(~finite.unsqueeze(1), -1).cpu()
        for answers, finite in _answered(reader, stacks, split, mask)
    ]
    return torch.cat(parts) if parts else torch.empty(0, len(split), dtype=torch.int64)


def _answered(
    reader: Answering, stacks: Sequence[Tensor], split: Split, mask: Tensor | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits [r, B, C] of some rows at a time, and which of these are finite [r]."""
    for rows in _parts(stacks, len(split)):
        answers = reader.answers(rows, split.x, mask)
        yield answers, _finite(rows) & _finite(answers)


def _parts(stacks: Sequence[Tensor], samples: int) -> Iterator[Tensor]:
    """The rows of all stacks, a few at a time: only what reaches over an end is copied."""
    size = max(1, SAMPLES.get(stacks[0].device.type, SAMPLES_ELSEWHERE) // samples)
    for start in range(0, sum(map(len, stacks)), size):
        pieces, first = [], start
        for stack in stacks:
            pieces.append(stack[max(first, 0) : max(first + size, 0)])
            first -= len(stack)
        there = [piece for piece in pieces if len(piece)]
        yield there[0] if len(there) == 1 else torch.cat(there)


def _scored(answered: tuple[Tensor, Tensor], y: Tensor, measures: Sequence[str]) -> Tensor:
    answers, finite = answered
    found = torch.stack([MEASURES[name](answers, y).cpu().double() for name in measures], dim=1)
    return found.where(finite.cpu().unsqueeze(1), torch.nan)


def _finite(rows: Tensor) -> Tensor:
    """Whether all numbers in each row are finite. Bool [R] of [R, ...]."""
    # A sum is finite only if every term is. To look at each costs forty times as much, and is
    # left to when a sum is not: it may have overflowed.
    sums = rows.sum(tuple(range(1, rows.dim()))).isfinite()
    return sums if bool(sums.all()) else rows.isfinite().flatten(1).all(-1)


def _first_best(answers: Tensor) -> Tensor:
    # The indices of max are those of argmax, in half the time.
    return answers.max(-1).indices


def _accuracy(answers: Tensor, y: Tensor) -> Tensor:
    # Divided on the host, in float64: not every device has it.
    return (_first_best(answers) == y).sum(-1).cpu().double() / len(y)


def _nll(answers: Tensor, y: Tensor) -> Tensor:
    """mean_x -log p(y | x), in nats."""
    logs = log_softmax(answers.float(), -1)
    return -logs.gather(-1, _column(answers, y)).squeeze(-1).mean(-1)


def _brier(answers: Tensor, y: Tensor) -> Tensor:
    """mean_x sum_c (p(c | x) - [c = y])^2, from 0 to 2 (Brier, 1950)."""
    right = one_hot(y, answers.shape[-1])
    return (answers.float().softmax(-1) - right).square().sum(-1).contiguous().mean(-1)


def _ece(answers: Tensor, y: Tensor) -> Tensor:
    """sum_b (n_b / n) |acc(b) - conf(b)| over ``BINS`` bins of the largest probability.

    Bin b, from 0, is of confidences in (b / BINS, (b + 1) / BINS] (arXiv:1706.04599, eq. 3).
    """
    confidence, answer = answers.float().softmax(-1).max(-1)
    gap = (answer == y).float() - confidence
    bins = (confidence * BINS).ceil().clamp(1, BINS)
    off = [gap.where(bins == b, 0).contiguous().mean(-1).abs() for b in range(1, BINS + 1)]
    # Along a row: sums down the columns round by how many columns there are.
    return torch.stack(off, dim=-1).sum(-1)


def _column(answers: Tensor, y: Tensor) -> Tensor:
    return y.view(1, -1, 1).expand(len(answers), -1, 1)


MEASURES: dict[str, Measure] = {"accuracy": _accuracy, "nll": _nll, "brier": _brier, "ece": _ece}
