"""Places divided into rings, in each of which the newest sample takes the oldest's place."""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.memories.base import first_visits, nth_of_kind


def in_rings(samples: Tensor, owners: Tensor, size: int, count: int) -> Tensor:
    """Where each of ``samples`` [steps, B] is put, on its first visit, in the ring of its owner.

    ``owners`` int64 [steps, B] in [0, ``count``). The first size mod count have a place more than
    the others; who has none is not kept.
    """
    share, more = divmod(size, count)
    lengths = share + (torch.arange(count) < more).long()
    begins = lengths.cumsum(0) - lengths
    new = first_visits(samples)
    owner = owners[new]
    at = begins[owner] + nth_of_kind(owner) % lengths[owner].clamp(min=1)
    out = torch.full_like(samples, -1)
    out[new] = torch.where(lengths[owner] > 0, at, -1)
    return out
