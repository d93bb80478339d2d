"""Evaluation: what the averages of a cohort score, those that are equal being judged once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainables.scoring import score

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch import Tensor

    from trainables.learners import Learner
    from trainables.scenarios.base import Split


def accuracies(
    learner: Learner, rows: Tensor, splits: Sequence[Split], masks: Tensor | None
) -> Tensor:
    """Accuracy of each row of weights on each split. Float64 [R, len(splits)].

    Split i is one of task i, whose mask is applied. NaN where the weights or what they answer are
    not finite.
    """
    columns = [
        score(learner, rows, split.to(rows.device), None if masks is None else masks[i])
        for i, split in enumerate(splits)
    ]
    return torch.stack(columns, dim=1)


def distinct(marks: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Where each mark that differs stands first, and for every mark its place among these."""
    seen: dict[Hashable, int] = {}
    places = [seen.setdefault(mark, len(seen)) for mark in marks]
    return [places.index(place) for place in range(len(seen))], places
