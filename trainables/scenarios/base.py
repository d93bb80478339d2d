"""What a scenario is: a stream of tasks, its clock, and the data to train on and to be tested by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor

from spaces.clock import Clock
from spaces.families import Family
from trainables.seeds import generator

Increment: TypeAlias = Literal["class", "task", "domain", "instance"]
"""What a new task brings. New classes, among which and the old ones a member must choose
(``class``) or is told the task (``task``); the same classes looking otherwise (``domain``); more
samples of the same classes looking the same (``instance``). The first three are van de Ven and
Tolias' (arXiv:1904.07734), the last is Nie et al.'s (arXiv:2406.03065)."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Labelled samples: ``x`` float32 [N, *inputs], ``y`` int64 [N]."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def only(self, which: Tensor | slice) -> Split:
        """The samples that ``which`` picks: bool [N], indices [n], or a slice (a view)."""
        return Split(self.x[which], self.y[which])

    def to(self, device: torch.device | str) -> Split:
        """The same samples on ``device``; this very split if they lie there."""
        x, y = self.x.to(device), self.y.to(device)
        return self if x is self.x and y is self.y else Split(x, y)


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
    only for strategies that look at it: ``later``, 0 in the first task and 1 from then on (always 1 where
    no boundaries are known); ``old``
    and ``new``, bool [C], the classes of earlier tasks and those of this one; ``noise``
    [B, *inputs], standard normal; ``jitter`` [P], standard normal too, 0 where nothing is trained;
    ``replay``, out of the memory.
    """

    x: Tensor
    y: Tensor
    mask: Tensor | None = None
    later: Tensor | None = None
    old: Tensor | None = None
    new: Tensor | None = None
    noise: Tensor | None = None
    jitter: Tensor | None = None
    replay: Replay | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The data of a scenario: one train, one validation and one test split for each task.

    ``masks``, bool [tasks, C], holds the classes that may be answered in each task, for
    streams that tell the task at test time; None where every class may be answered.

    ``probes`` are further samples by name that may be measured after any task, such as the
    training set of the base task, on which KC-EMA's forgetting is defined. ``true_labels``, per
    task int64 [N], are the training labels before they were corrupted, None where they were not:
    the samples whose ``train[i].y`` differ from it are the corrupted ones. ``once`` says that no
    training sample may be seen twice within a task, ``boundaries`` whether a learner may know when
    a task ends.

    Tasks that show the same data hold the same ``Split``, so that it is stored once.

    Raises:
        ValueError: if a label that is trained on is no class.
    """

    clock: Clock
    classes: int
    inputs: tuple[int, ...]
    train: tuple[Split, ...]
    validation: tuple[Split, ...]
    test: tuple[Split, ...]
    masks: Tensor | None = None
    probes: Mapping[str, Split] = field(default_factory=dict)
    true_labels: tuple[Tensor, ...] | None = None
    once: bool = False
    boundaries: bool = True

    def __post_init__(self) -> None:
        for task, split in enumerate(self.train):
            if not len(split.y) or not split.y.is_cpu:  # moved there, they were looked at before
                continue
            low, high = (int(x) for x in split.y.aminmax())
            if low < 0 or high >= self.classes:
                raise ValueError(
                    f"task {task}: labels are whole numbers from 0 to {self.classes - 1}, one for each of "
                    f"{self.classes} classes; got some from {low} to {high}"
                )

    def batch_indices(self, *, seed: int, size: int) -> list[Tensor]:
        """Which samples each step of each task trains on. Per task int64 [steps of the task, size].

        The samples of a task come in one shuffle after another, each a whole epoch, cut into
        batches of ``size``; a batch may end one epoch and begin the next, so none is left over.
        The order depends on ``seed`` and the task alone (common random numbers): another batch
        size reads the same order. Lies where the data lies.

        Raises:
            ValueError: if each sample may be seen ``once`` and a task has too few for its steps.
        """
        if self.once:
            self._refuse_second_look(size)
        return [
            _order(len(split), task.steps * size, generator("batches", seed, number))
            .view(task.steps, size)
            .to(split.y.device)
            for number, (split, task) in enumerate(self._learned())
        ]

    def _refuse_second_look(self, size: int) -> None:
        rooms = [len(split) // task.steps for split, task in self._learned()]
        tightest = rooms.index(min(rooms))
        if size > rooms[tightest]:
            split, task = self._learned()[tightest]
            raise ValueError(
                f"each training sample is seen once, but task {tightest} has {len(split)} of them "
                f"and {task.steps} steps of batch {size} take {task.steps * size}: fewer steps or "
                f"a smaller batch are needed"
            )

    def _learned(self) -> list[tuple[Split, Clock]]:
        """What each task trains on, and for how long."""
        return list(zip(self.train, self.clock.tasks(), strict=True))

    def to(self, device: torch.device | str) -> Stream:
        """The same stream with its data on ``device``. What is shared stays so."""
        parts = (self.train, self.validation, self.test, tuple(self.probes.values()))
        held = {id(split): split for part in parts for split in part}
        moved = {key: split.to(device) for key, split in held.items()}
        train, validation, test, probes = (
            tuple(moved[id(split)] for split in part) for part in parts
        )
        return replace(
            self,
            train=train,
            validation=validation,
            test=test,
            masks=None if self.masks is None else self.masks.to(device),
            probes=dict(zip(self.probes, probes, strict=True)),
            true_labels=self.true_labels and tuple(y.to(device) for y in self.true_labels),
        )


class Scenario(Family):
    """A stream of tasks that its fields fix to the last bit, seed included.

    Laws (``tests/contracts/test_scenarios.py``): equal fields give equal data; the clock and
    the shape are known from the fields alone and are the stream's; every task has samples to
    train, validate and test on; no sample is in two of these, whatever the task, though several
    tasks may train on it, or validate on it; labels lie in [0, classes) and are allowed by the
    task's mask; values are finite float32; true labels differ from those trained on only where
    these were corrupted; no probe is validated or tested on; masks come with ``task`` increments
    and with no others; the global random state is neither read nor moved.
    """

    __slots__ = ()

    def clock(self) -> Clock:
        """Steps and task starts, without touching any data."""
        raise NotImplementedError

    def shape(self) -> Shape:
        """What a model is given and answers, without touching any data."""
        raise NotImplementedError

    def increment(self) -> Increment:
        """What a new task brings."""
        raise NotImplementedError

    def once(self) -> bool:
        """Whether no training sample may be seen twice within a task."""
        return False

    def boundaries(self) -> bool:
        """Whether a learner may know when a task ends.

        Where it may not, what acts at a boundary (a merge, a frozen previous model) is refused.
        """
        return True

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
