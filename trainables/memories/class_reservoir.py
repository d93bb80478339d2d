"""Class-balancing reservoir sampling (Chrysakis & Moens, ICML 2020, algorithm 1)."""

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
class ClassReservoir(Memory):
    """Takes free places; then classes that never were the largest grow at the largest's expense.

    A class is full once it has held most places, and stays full: of its n-th sample met it keeps
    any with the same probability (places held) / n, in the place of one of its own. A sample of a
    class that is not full takes a place of the class that holds most. Places and ties are drawn.
    """

    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    kind: Literal["class_reservoir"] = "class_reservoir"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        held = Held(arrivals, self.size, rng)
        met, full = [0] * arrivals.classes, set[int]()

        def place_of(label: int) -> int:
            met[label] += 1
            if held.filled < self.size:
                return held.free(label)
            most = max(map(len, held.seats))
            full.update(c for c, seats in enumerate(held.seats) if len(seats) == most)
            if label not in full:
                return held.taken(held.largest(), label)
            own = len(held.seats[label])
            return held.taken(label, label) if held.draw(met[label]) < own else -1

        return one_by_one(arrivals, place_of)
