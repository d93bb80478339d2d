"""What a memory is: which samples of the stream are kept, and which of them are shown again when."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from spaces.families import Family


class Arrivals(NamedTuple):
    """The stream as a memory sees it: ``samples`` int64 [steps, B] and their ``labels`` [steps, B].

    A sample's number tells it from all others of the stream; an image that is shown by two tasks is
    two samples. ``task`` int64 [steps]. How many
    ``classes`` and ``tasks`` there will be is known from the start, which of them is not.
    """

    samples: Tensor
    labels: Tensor
    task: Tensor
    classes: int
    tasks: int


class Memory(Family):
    """``size`` places; ``batch`` samples of them are shown again at each step.

    What is kept never depends on a member, so the whole course of a memory is known before the run:
    ``places`` decides it from the stream's order and a generator. Every member of a cohort shares
    it (common random numbers); only what members answered is stored for each. A place that is
    filled stays so: a sample goes when another takes its place.

    Laws (``tests/contracts/test_memories.py``): places lie in [-1, size); equal generators give equal
    places; what arrives later changes nothing earlier; with room for all every sample is kept.
    """

    __slots__ = ()
    tells_tasks: ClassVar[bool] = False
    """Whether it must be told which task a sample belongs to."""
    size: int
    batch: int

    def places(self, arrivals: Arrivals, rng: torch.Generator) -> Tensor:
        """Where each arriving sample is put, -1 for nowhere. Int64 [steps, B].

        A sample put in a place takes it from whatever was there; of two of a step the later has it.
        """
        raise NotImplementedError


def first_visits(samples: Tensor) -> Tensor:
    """Whether each sample arrives for the first time. Bool [steps, B] of int64 [steps, B]."""
    flat = samples.flatten()
    order = flat.argsort(stable=True)
    ordered = flat[order]
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    out = torch.empty_like(new)
    out[order] = new
    return out.view_as(samples)


def nth_of_kind(kinds: Tensor) -> Tensor:
    """How many of its own kind came before each. Int64 [n] of int64 [n]."""
    order = kinds.argsort(stable=True)
    ordered = kinds[order]
    rank = torch.arange(len(kinds))
    begins = torch.ones_like(ordered, dtype=torch.bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    out = torch.empty_like(rank)
    out[order] = rank - torch.where(begins, rank, 0).cummax(0).values
    return out
