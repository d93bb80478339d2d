"""Mixing: a block of students taken into averages by PyTorch's product of their weights and them.

Where ``trainables/absorbing.py`` does not: on devices, on more threads, on other processors.
"""

from __future__ import annotations

import torch
from torch import Tensor

GROUP = 8
"""Averages in one product, always: so that an average rounds alike whatever others there are."""


def take_in_(averages: Tensor, decays: Tensor, weights: Tensor, students: Tensor) -> None:
    """Takes students [M, n, P] into averages [M, K, P], by decays [M, W] and weights [n, M, W].

    W is K in whole groups. Where the decay is 0 the old average does not count.
    """
    # On a CPU one member at a time: its students and the product stay in the cache. Elsewhere
    # all at once, and always carefully, since asking whether to would wait for the device.
    size = 1 if students.device.type == "cpu" else len(students)
    for at in range(0, len(students), size):
        part = slice(at, at + size)
        for first in range(0, averages.shape[1], GROUP):
            group = slice(first, first + GROUP)
            w = weights[:, part, group].permute(1, 2, 0).contiguous()
            rows = averages[part, group]
            _mix_(rows, decays[part, group][:, : rows.shape[1], None], w, students[part])


def _mix_(rows: Tensor, decays: Tensor, weights: Tensor, students: Tensor) -> None:
    """The averages ``rows`` [M, k, P], by decays [M, k, 1] and weights [M, GROUP, n]."""
    asks, cleared = students.device.type == "cpu", decays == 0
    if not asks or bool(cleared.any()):
        rows.masked_fill_(cleared, 0)
    new = torch.bmm(weights, students)
    # A row of the product touches every student, so one row tells of them all.
    if asks and bool(new[:, 0].sum().isfinite()):
        torch.addcmul(new[:, : rows.shape[1]], rows, decays, out=rows)
    else:
        _mix_carefully_(rows, decays, weights, students)


def _mix_carefully_(rows: Tensor, decays: Tensor, weights: Tensor, students: Tensor) -> None:
    """The same where all is finite; NaN only in averages that took in what is not."""
    finite = students.isfinite()
    new = torch.bmm(weights, students.where(finite, 0))[:, : rows.shape[1]]
    struck = torch.bmm((weights != 0).float(), (~finite).float())[:, : rows.shape[1]] > 0
    rows.copy_(torch.addcmul(new, rows, decays).masked_fill_(struck, torch.nan))
