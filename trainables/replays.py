"""Replays: what a memory shows again at each step, worked out before the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from trainables.memories.base import Arrivals
from trainables.occupancy import occupancy
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
    """The course of a memory over a stream; what steps look at lies where the stream does.

    ``x``, ``y`` and ``task`` are of all training samples [N, ...]. At each step ``shown``
    int64 [steps, D, R] are the samples shown again, ``seats`` [steps, D, R] their places, and
    ``share`` float32 [steps, 1, 1] how much each counts. ``puts`` are all samples ever put, and
    ``edges`` int64 [steps + 1], on the host, where among them those of each step begin.
    """

    x: Tensor
    y: Tensor
    task: Tensor
    shown: Tensor
    seats: Tensor
    share: Tensor
    puts: Put
    edges: Tensor

    def replay(self, step: int, masks: Tensor | None) -> Replay:
        """What is shown at ``step``, without the stored logits."""
        at = self.shown[step]
        mask = None if masks is None else masks[self.task[at]]
        return Replay(self.x[at], self.y[at], self.share[step].expand(at.shape), mask)

    def put(self, step: int) -> Put:
        """Which samples of the step's own batch are put where after it."""
        at = slice(int(self.edges[step]), int(self.edges[step + 1]))
        return Put(self.puts.samples[at], self.puts.places[at])


def course(
    memory: Memory, stream: Stream, batches: Sequence[Tensor], *, seed: int, draws: int
) -> Course:
    """``batches`` are the stream's, int64 [steps of the task, B] for each task.

    Before each step ``memory.batch`` samples are drawn ``draws`` times from what is held, with
    replacement and independently, so that a step costs the same however few are held. (Codes
    that draw without it show all that is held while that is fewer.) While nothing is held the step's
    own samples stand in and count nothing, so that what normalises by whole batches sees the batch.
    """
    arrivals = _arrivals(stream, batches)
    places = memory.places(arrivals, generator("memory", seed))
    put = occupancy(places, arrivals.samples)
    shape = (len(places), draws, memory.batch)
    unit = torch.rand(shape, generator=generator("replay", seed), dtype=torch.float64)
    seats, shown, filled = put.pick(unit)
    some = (filled > 0).view(-1, 1, 1)
    own = arrivals.samples[:, torch.arange(memory.batch) % arrivals.samples.shape[1]]
    y = torch.cat([split.y for split in stream.train])
    device = y.device
    return Course(
        x=torch.cat([split.x for split in stream.train]),
        y=y,
        task=_tasks(stream).to(device),
        shown=torch.where(some, shown, own.unsqueeze(1)).to(device),
        seats=seats.to(device),
        share=(some.float() / memory.batch).to(device),
        puts=Put(put.columns.to(device), put.places.to(device)),
        edges=put.count,
    )


def _arrivals(stream: Stream, batches: Sequence[Tensor]) -> Arrivals:
    """What comes in at each step; samples are numbered through the training sets of all tasks."""
    sizes = [len(split) for split in stream.train]
    firsts = [sum(sizes[:i]) for i in range(len(sizes))]
    samples = torch.cat([b.cpu() + first for b, first in zip(batches, firsts, strict=True)])
    labels = torch.cat([split.y.cpu() for split in stream.train])[samples]
    task = _tasks(stream)[samples[:, 0]]
    return Arrivals(samples, labels, task, stream.classes, len(sizes))


def _tasks(stream: Stream) -> Tensor:
    """Of each training sample. Int64 [N]."""
    sizes = torch.tensor([len(split) for split in stream.train])
    return torch.repeat_interleave(torch.arange(len(sizes)), sizes)
