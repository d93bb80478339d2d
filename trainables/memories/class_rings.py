"""A ring of places for each class (Chaudhry et al., arXiv:1902.10486, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.memories.base import Arrivals, Memory
from trainables.memories.rings import in_rings


@Memory.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRings(Memory):
    """Each class keeps the last size / classes of its samples, met for the first time: equal shares.

    The places are divided among all classes of the stream before it begins, so most are empty in
    the first task. Of 200 places and 7 classes the first four have one place more; with fewer places
    than classes the last classes have none.
    """

    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    kind: Literal["class_rings"] = "class_rings"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        del rng
        return in_rings(arrivals.samples, arrivals.labels, self.size, arrivals.classes)
