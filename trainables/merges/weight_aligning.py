"""Weight aligning (WA: Zhao et al., arXiv:1911.07053): new classes' rows as long as old ones'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from trainables.merges.base import Boundary, Merge


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class WeightAligning(Merge):
    """Last layer's rows of new classes times gamma = mean ||w_old|| / mean ||w_new||, eq. 6 and 7.

    Undoes the bias towards what was learnt last. Old classes are all of earlier tasks, new ones
    those met for the first time; where there are none of either (the first task, tasks of
    the same classes), or the new rows are zero, nothing is done. Biases stay as they are. The
    aligned student is the next task's teacher. The paper also keeps weights at least 0 by clipping
    them in training, which is not done here.

    WA is this merge with the strategy ``balanced``, whose memory its authors have as well.
    """

    kind: Literal["weight_aligning"] = "weight_aligning"

    def merged(self, at: Boundary) -> Tensor:
        head = at.layout.last_matrix
        rows = at.student[:, head].view(len(at.student), len(at.old), -1)
        new = at.new & ~at.old
        lengths = rows.norm(dim=-1)
        aim, own = _mean(lengths, at.old), _mean(lengths, new)
        able = at.old.any() & (own > 0)
        gamma = torch.where(able, aim / own, 1.0).unsqueeze(1)
        merged = at.student.clone()
        merged[:, head] = torch.where(new.unsqueeze(-1), gamma * rows, rows).flatten(1)
        return merged


def _mean(lengths: Tensor, some: Tensor) -> Tensor:
    """Of the lengths [M, C] of ``some`` classes; 0 where there are none. [M, 1]."""
    total = torch.where(some, lengths, 0.0).sum(-1, keepdim=True)
    return total / some.sum().clamp(min=1)
