"""What a scenario is: a stream of tasks, its clock, and the data to train on and to be tested by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from spaces.clock import Clock
from spaces.families import Family
from trainables.seeds import generator


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Labelled samples: ``x`` float32 [N, *inputs], ``y`` int64 [N]."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device | str) -> Split:
        return Split(self.x.to(device), self.y.to(device))


class Shape(NamedTuple):
    """Samples are x [B, *inputs] and answers are logits [B, classes]."""

    inputs: tuple[int, ...]
    classes: int


class Replay(NamedTuple):
    """Samples of the past, D independent draws of R: ``x`` [D, R, *inputs], ``y`` [D, R].

    ``share`` float32 [D, R] sums to 1 over a draw's samples, or to 0 while nothing is remembered.
    ``mask``, bool [D, R, C], says which classes' logits count for each; None when all do.
    ``stored`` [D, R, C] are the logits of ONE member when it met each sample.
    """

    x: Tensor
    y: Tensor
    share: Tensor
    mask: Tensor | None = None
    stored: Tensor | None = None


class Batch(NamedTuple):
    """What a member learns from in one step: ``x`` [B, *inputs], ``y`` [B].

    ``mask``, bool [C], says which classes' logits count; None when all of them do. The rest is there
    only for strategies that look at it: ``later``, 0 in the first task and 1 from then on; ``old``
    and ``new``, bool [C], the classes of earlier tasks and those of this one; ``noise``
    [B, *inputs], standard normal; ``replay``, out of the memory.
    """

    x: Tensor
    y: Tensor
    mask: Tensor | None = None
    later: Tensor | None = None
    old: Tensor | None = None
    new: Tensor | None = None
    noise: Tensor | None = None
    replay: Replay | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The data of a scenario: one train, one validation and one test split for each task.

    ``masks``, bool [tasks, C], holds the classes that may be answered in each task, for
    streams that tell the task at test time; None where every class may be answered.
    """

    clock: Clock
    classes: int
    inputs: tuple[int, ...]
    train: tuple[Split, ...]
    validation: tuple[Split, ...]
    test: tuple[Split, ...]
    masks: Tensor | None = None

    def batch_indices(self, *, seed: int, size: int) -> list[Tensor]:
        """Which samples each step of each task trains on. Per task int64 [steps of the task, size].

        The samples of a task come in one shuffle after another, each a whole epoch, cut into
        batches of ``size``; a batch may end one epoch and begin the next, so none is left over.
        The order depends on ``seed`` and the task alone (common random numbers): another batch
        size reads the same order. Lies where the data lies.
        """
        return [
            _order(len(split), task.steps * size, generator("batches", seed, number))
            .view(task.steps, size)
            .to(split.y.device)
            for number, (split, task) in enumerate(zip(self.train, self.clock.tasks(), strict=True))
        ]

    def to(self, device: torch.device | str) -> Stream:
        """The same stream with its data on ``device``."""
        return replace(
            self,
            train=tuple(split.to(device) for split in self.train),
            validation=tuple(split.to(device) for split in self.validation),
            test=tuple(split.to(device) for split in self.test),
            masks=None if self.masks is None else self.masks.to(device),
        )


class Scenario(Family):
    """A stream of tasks that its fields fix to the last bit, seed included.

    Laws (``tests/contracts/test_scenarios.py``): equal fields give equal data; the clock and
    the shape are known from the fields alone and are the stream's; every task has samples to train, validate
    and test on; no sample is in two of these, whatever the task; labels lie in [0, classes)
    and are allowed by the task's mask; values are finite float32; the global random state is
    neither read nor moved.
    """

    __slots__ = ()

    def clock(self) -> Clock:
        """Steps and task starts, without touching any data."""
        raise NotImplementedError

    def shape(self) -> Shape:
        """What a model is given and answers, without touching any data."""
        raise NotImplementedError

    def stream(self) -> Stream:
        """The data. The same fields give the same, bit for bit."""
        raise NotImplementedError


def even_clock(*, tasks: int, steps: int) -> Clock:
    """``tasks`` tasks of ``steps`` optimizer steps each."""
    return Clock(steps=tasks * steps, task_starts=tuple(range(0, tasks * steps, steps)))


def _order(samples: int, length: int, rng: torch.Generator) -> Tensor:
    """``length`` indices into ``samples``, as many shuffles as that takes. int64 [length]."""
    epochs = -(-length // samples)
    return torch.cat([torch.randperm(samples, generator=rng) for _ in range(epochs)])[:length]
