"""A ring of places for each task (Lopez-Paz & Ranzato, arXiv:1706.08840, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.memories.base import Arrivals, Memory
from trainables.memories.rings import in_rings


@Memory.register
@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRings(Memory):
    """Each task keeps the last size / tasks of its samples, met for the first time.

    The places are divided among all tasks of the stream before it begins; GEM's memory.
    """

    tells_tasks: ClassVar[bool] = True
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    batch: Annotated[int, Field(ge=1)] = 32
    kind: Literal["task_rings"] = "task_rings"

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        del rng
        task = arrivals.task.unsqueeze(1).expand_as(arrivals.samples)
        return in_rings(arrivals.samples, task, self.size, arrivals.tasks)
