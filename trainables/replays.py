"""Replays: what a memory shows again at each step, worked out before the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from trainables.memories.base import Arrivals, occupants
from trainables.scenarios.base import Replay, Stream
from trainables.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainables.memories import Memory


class Put(NamedTuple):
    """Samples of a batch, by their number in it, and the ``places`` they get. Int64 [n] each."""

    samples: Tensor
    places: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The course of a memory over a stream; everything lies where the stream does.

    ``x``, ``y`` and ``task`` are of all training samples [N, ...]. At each step ``shown``
    int64 [steps, D, R] are the samples shown again, ``seats`` [steps, D, R] their places, ``share``
    float32 [steps, D, R] how much each counts, and ``put`` which samples of the step's own batch are
    put where after it.
    """

    x: Tensor
    y: Tensor
    task: Tensor
    shown: Tensor
    seats: Tensor
    share: Tensor
    put: list[Put]

    def replay(self, step: int, masks: Tensor | None) -> Replay:
        """What is shown at ``step``, without the stored logits."""
        at = self.shown[step]
        mask = None if masks is None else masks[self.task[at]]
        return Replay(self.x[at], self.y[at], self.share[step], mask)


def course(
    memory: Memory, stream: Stream, batches: Sequence[Tensor], *, seed: int, draws: int
) -> Course:
    """``batches`` are the stream's, int64 [steps of the task, B] for each task.

    Before each step ``memory.batch`` samples are drawn ``draws`` times from what is held, with
    replacement and independently, so that a step costs the same however few are held.
    """
    sizes = [len(split) for split in stream.train]
    firsts = [sum(sizes[:i]) for i in range(len(sizes))]
    samples = torch.cat([b.cpu() + first for b, first in zip(batches, firsts, strict=True)])
    y = torch.cat([split.y for split in stream.train])
    task = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    arrivals = Arrivals(samples, y.cpu()[samples], task[samples[:, 0]])
    put = memory.places(arrivals, generator("memory", seed))
    shape = (len(samples), draws, memory.batch)
    unit = torch.rand(shape, generator=generator("replay", seed), dtype=torch.float64)
    held = occupants(put, samples, memory.size)
    full = [(h >= 0).nonzero().squeeze(1) for h in held]
    seats = torch.stack([_pick(f, u) for f, u in zip(full, unit, strict=True)])
    shown = torch.stack([h[s].clamp(min=0) for h, s in zip(held, seats, strict=True)])
    some = torch.tensor([len(f) > 0 for f in full])
    share = (some.float() / memory.batch).view(-1, 1, 1).expand(shape).contiguous()
    device = y.device
    return Course(
        x=torch.cat([split.x for split in stream.train]),
        y=y,
        task=task.to(device),
        shown=shown.to(device),
        seats=seats.to(device),
        share=share.to(device),
        put=[Put(*(t.to(device) for t in _put(places))) for places in put],
    )


def _put(places: Tensor) -> tuple[Tensor, Tensor]:
    """Which samples of a batch are put somewhere, and where; of two in one place the later."""
    last = {int(place): i for i, place in enumerate(places.tolist()) if place >= 0}
    return torch.tensor(list(last.values()), dtype=torch.long), torch.tensor(
        list(last), dtype=torch.long
    )


def _pick(full: Tensor, unit: Tensor) -> Tensor:
    """For each of ``unit`` in [0, 1) one of the places ``full``; place 0 while there is none."""
    if len(full) == 0:
        return torch.zeros_like(unit, dtype=torch.long)
    return full[(unit * len(full)).long()]
