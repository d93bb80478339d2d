"""GDumb's greedy balanced sampler (Prabhu et al., ECCV 2020, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.memories.balancing import Held, one_by_one
from trainables.memories.base import Arrivals, Memory


@Memory.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Greedy(Memory):
    """A new sample is kept while its class holds fewer than size / classes met so far.

    While there are free places it takes one, or else a place of the class that holds most, drawn
    at random; ties are drawn. Balanced over the classes met, without being told the tasks. A class
    that has its share is closed: what is kept of it are its first samples.
    """

    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    kind: Literal["greedy"] = "greedy"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        held = Held(arrivals, self.size, rng)
        met: set[int] = set()

        def place_of(label: int) -> int:
            met.add(label)
            if len(held.seats[label]) * len(met) >= self.size:
                return -1
            if held.filled < self.size:
                return held.free(label)
            return held.taken(held.largest(), label)

        return one_by_one(arrivals, place_of)
