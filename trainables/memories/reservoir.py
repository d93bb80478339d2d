"""Reservoir sampling (Vitter, 1985): every sample met so far is kept with the same probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.memories.base import Arrivals, Memory, first_visits


@Memory.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Reservoir(Memory):
    """The n-th sample offered takes a free place, or with probability size / n one that is drawn.

    Offered is a sample whenever it is met, in every epoch again, as in the code of DER (Buzzega et
    al., arXiv:2004.07211) and all that builds on it: a sample may then be held more than once, and the
    logits stored with it are those of the epoch that put it there. With ``offered: once`` it is when
    it is met for the first time (Riemer et al., arXiv:1810.11910): the memory is then a uniform draw of
    the samples met, but logits are all of first epochs, when there was little to remember. (Split
    digits, 6.6 epochs a task, 100 places, weight 1: DER ends at 0.87 with always, at 0.36 with once.)
    In a single pass both are the same.
    """

    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    offered: Literal["always", "once"] = "always"
    kind: Literal["reservoir"] = "reservoir"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        samples = arrivals.samples
        once = self.offered == "once"
        new = first_visits(samples) if once else torch.ones_like(samples, dtype=torch.bool)
        count = new.flatten().cumsum(0).view_as(new)  # the n of each sample offered, from 1
        drawn = (torch.rand(new.shape, generator=rng, dtype=torch.float64) * count).long()
        at = torch.where(count <= self.size, count - 1, drawn)
        return torch.where(new & (at < self.size), at, -1)
