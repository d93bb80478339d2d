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
    """The n-th new sample takes a free place, or with probability size / n one that is drawn.

    A sample is offered when it is met for the first time (Riemer et al., arXiv:1810.11910); later
    epochs offer nothing new.
    """

    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    kind: Literal["reservoir"] = "reservoir"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        new = first_visits(arrivals.samples)
        count = new.flatten().cumsum(0).view_as(new)  # the n of each new sample, from 1
        drawn = (torch.rand(new.shape, generator=rng, dtype=torch.float64) * count).long()
        at = torch.where(count <= self.size, count - 1, drawn)
        return torch.where(new & (at < self.size), at, -1)
