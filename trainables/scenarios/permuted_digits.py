"""Permuted digits: the same ten classes in every task, each task's pixels in an order of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor

from trainables.scenarios.base import Increment, Scenario, Split, Stream
from trainables.scenarios.digit_tasks import DigitTasks
from trainables.scenarios.digits import CLASSES, INPUTS, splits
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class PermutedDigits(DigitTasks):
    """Domain-incremental: each task shows the digits through a permutation of its own of the pixels.

    The first task shows them as they are, the others in orders drawn from ``seed``, one for each
    task, all images of a task in the same. ``train`` and ``validation`` images, and the rest for
    the test, are the same in every task, so that no task's training shows an image that any task
    validates or tests on. Each task lasts ``steps`` optimizer steps. Permuted MNIST is the model
    (Goodfellow et al., arXiv:1312.6211; Kirkpatrick et al., arXiv:1612.00796); the sizes are ours.
    """

    kind: Literal["permuted_digits"] = "permuted_digits"

    def increment(self) -> Increment:
        return "domain"

    def stream(self) -> Stream:
        parts = splits(train=self.train, validation=self.validation, seed=self.seed)
        orders = [self._pixels(task) for task in range(self.tasks)]
        train, validation, test = (tuple(_seen(part, by) for by in orders) for part in parts)
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=train,
            validation=validation,
            test=test,
        )

    def _pixels(self, task: int) -> Tensor:
        """Which pixel of the image stands at each place in ``task``. int64 [64]."""
        pixels = prod(INPUTS)
        if task == 0:
            return torch.arange(pixels)
        return torch.randperm(pixels, generator=generator("pixels", self.seed, task))


def _seen(part: Split, pixels: Tensor) -> Split:
    return Split(part.x.flatten(1)[:, pixels].view_as(part.x), part.y)
