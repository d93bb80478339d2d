"""What blurry streams share: classes that have a task of their own, and images that stray from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from trainables.scenarios.base import Increment, Split, Stream
from trainables.scenarios.digit_tasks import DigitTasks
from trainables.scenarios.digits import CLASSES, INPUTS, splits
from trainables.seeds import generator


class Homes(NamedTuple):
    """``task``, int64 [C]: the task of each class; ``blurry``, bool [C]: whether its images stray."""

    task: Tensor
    blurry: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Blurring(DigitTasks):
    """Class-incremental without boundaries: ``blur`` of the images of blurry classes stray.

    Every class has a home task. A share ``disjoint`` of the classes (N, rounded to whole classes)
    is seen there and nowhere else. Of the training images of each other class a share ``blur``
    (M, of which at least one image stays) goes into a pool, which is shuffled and dealt out evenly
    to all tasks. A task is validated and tested on the classes that are at home there.
    """

    tasks: Annotated[int, Field(ge=1, le=10)] = 5
    disjoint: Annotated[float, Field(ge=0, le=1)] = 0.5
    blur: Annotated[float, Field(ge=0, le=0.9)] = 0.1

    def increment(self) -> Increment:
        return "class"

    def boundaries(self) -> bool:
        return False

    def homes(self, rng: torch.Generator) -> Homes:
        """Where each class is at home, at least one in each task."""
        raise NotImplementedError

    def stream(self) -> Stream:
        train, validation, test = splits(
            train=self.train, validation=self.validation, seed=self.seed
        )
        rng = generator("blur", self.seed)
        homes = self.homes(rng)
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=self._dealt(train, self._tasks_of(train.y, homes, rng)),
            validation=self._dealt(validation, homes.task[validation.y]),
            test=self._dealt(test, homes.task[test.y]),
            boundaries=False,
        )

    def _tasks_of(self, y: Tensor, homes: Homes, rng: torch.Generator) -> Tensor:
        """The task that each training image is seen in. int64 [N]."""
        pool = torch.cat(
            [self._astray(y == label, rng) for label in homes.blurry.nonzero()] or [y[:0]]
        )
        pool = pool[torch.randperm(len(pool), generator=rng)]
        tasks = homes.task[y]
        tasks[pool] = torch.arange(len(pool)) * self.tasks // max(len(pool), 1)
        return tasks

    def _astray(self, own: Tensor, rng: torch.Generator) -> Tensor:
        """Which images of one class leave home. int64 [n]."""
        images = own.nonzero().squeeze(1)
        leaving = min(round(self.blur * len(images)), len(images) - 1)
        return images[torch.randperm(len(images), generator=rng)[:leaving]]

    def _dealt(self, part: Split, tasks: Tensor) -> tuple[Split, ...]:
        return tuple(part.only(tasks == task) for task in range(self.tasks))

    def disjoint_classes(self) -> int:
        return round(self.disjoint * CLASSES)
