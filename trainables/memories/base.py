"""What a memory is: which samples of the stream are kept, and which of them are shown again when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from spaces.families import Family

if TYPE_CHECKING:
    from collections.abc import Sequence


class Arrivals(NamedTuple):
    """The stream as a memory sees it: ``samples`` int64 [steps, B] and their ``labels`` [steps, B].

    A sample's number tells it from all others of the stream. ``task`` int64 [steps].
    """

    samples: Tensor
    labels: Tensor
    task: Tensor


class Memory(Family):
    """``size`` places; ``batch`` samples of them are shown again at each step.

    What is kept never depends on a member, so the whole course of a memory is known before the run:
    ``places`` decides it from the stream's order and a generator. Every member of a cohort shares
    it (common random numbers); only what members answered is stored for each.

    Laws (``tests/contracts/test_memories.py``): places lie in [-1, size); equal generators give equal
    places.
    """

    __slots__ = ()
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


def occupants(places: Tensor, samples: Tensor, size: int) -> Sequence[Tensor]:
    """The sample in each place before each step, -1 for an empty one. Per step int64 [size]."""
    held = torch.full((size,), -1, dtype=torch.long)
    course = []
    for at, arriving in zip(places, samples, strict=True):
        course.append(held.clone())
        put = at >= 0
        for place, sample in zip(at[put].tolist(), arriving[put].tolist(), strict=True):
            held[place] = sample
    return course
