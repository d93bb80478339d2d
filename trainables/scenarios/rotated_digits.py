"""Rotated digits: the same ten classes in every task, each task turned further than the last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from trainables.scenarios.base import Increment, Scenario, Split, Stream
from trainables.scenarios.digit_tasks import DigitTasks
from trainables.scenarios.digits import CLASSES, INPUTS, Digits, parts


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class RotatedDigits(DigitTasks):
    """Domain-incremental: task i shows the digits turned by i * ``degrees``, counter-clockwise.

    The 1,797 images are parted once, by image, before they are turned: ``train`` and
    ``validation`` images, and the rest for the test, the same images in every task. So no
    task's training shows an image that any task validates or tests on. Each task lasts
    ``steps`` optimizer steps. Angles count modulo 360: a task that comes full circle has the
    very data of the task it returns to. Rotated MNIST is the model (Lopez-Paz & Ranzato,
    arXiv:1706.08840).
    """

    degrees: Annotated[float, Field(ge=0, le=180)] = 30.0
    kind: Literal["rotated_digits"] = "rotated_digits"

    def increment(self) -> Increment:
        return "domain"

    def stream(self) -> Stream:
        train, validation, test = parts(
            train=self.train, validation=self.validation, seed=self.seed
        )
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=self._turned(train),
            validation=self._turned(validation),
            test=self._turned(test),
        )

    def _turned(self, part: Digits) -> tuple[Split, ...]:
        """The images of one part as each task shows them."""
        angles = [(i * self.degrees) % 360 for i in range(self.tasks)]
        shown = {a: Split(_rotated(part.x, a).float(), part.y) for a in dict.fromkeys(angles)}
        return tuple(shown[angle] for angle in angles)


def _rotated(x: Tensor, degrees: float) -> Tensor:
    """The images [N, 1, H, W], turned about their centre; bilinear, black beyond the edge."""
    if degrees == 0:  # exactly the images, not an interpolation of them
        return x
    a = math.radians(degrees)
    matrix = torch.tensor([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0]])
    grid = affine_grid(matrix.to(x).expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
