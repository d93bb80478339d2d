"""Shuffled tasks: another scenario whose tasks come in another order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import Field

from spaces.clock import Clock
from trainables.scenarios.base import Scenario, Stream
from trainables.scenarios.wrapper import Wrapper
from trainables.seeds import generator

T = TypeVar("T")


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ShuffledTasks(Wrapper):
    """The tasks of ``of`` in an order drawn from ``seed``, each as long as it was.

    ``first: kept`` leaves the first task where it is, for streams that begin with a base task.
    The same data in several orders is how the spread over task orders is measured; the seed of
    ``of`` fixes the data. (A shuffled order of *classes* is a field of the scenarios that have one,
    such as ``order`` of split_digits.)
    """

    first: Literal["shuffled", "kept"] = "shuffled"
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["shuffled_tasks"] = "shuffled_tasks"

    def __post_init__(self) -> None:
        count = self.of.clock().task_count
        if count - self._kept() < 2:  # one has no order
            raise ValueError(
                f"there is nothing to shuffle: of has tasks={count}, got first: {self.first}"
            )

    def clock(self) -> Clock:
        lengths = self._ordered(tuple(task.steps for task in self.of.clock().tasks()))
        *starts, steps = accumulate(lengths, initial=0)
        return Clock(steps=steps, task_starts=tuple(starts))

    def stream(self) -> Stream:
        stream = self.of.stream()
        order = torch.tensor(self._order())
        return replace(
            stream,
            clock=self.clock(),
            train=self._ordered(stream.train),
            validation=self._ordered(stream.validation),
            test=self._ordered(stream.test),
            masks=None if stream.masks is None else stream.masks[order],
            true_labels=stream.true_labels and self._ordered(stream.true_labels),
        )

    def _ordered(self, tasks: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(tasks[task] for task in self._order())

    def _order(self) -> list[int]:
        """Which task of ``of`` comes at each place."""
        kept = self._kept()
        rng = generator("tasks", self.seed)
        drawn = torch.randperm(self.of.clock().task_count - kept, generator=rng)
        return [*range(kept), *(drawn + kept).tolist()]

    def _kept(self) -> int:
        return 1 if self.first == "kept" else 0
