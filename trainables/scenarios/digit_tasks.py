"""What streams of digits share whose tasks last equally long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spaces.clock import Clock
from trainables.scenarios.base import Scenario, Shape, even_clock
from trainables.scenarios.digits import SHAPE, TrainSize, ValidationSize


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitTasks(Scenario):
    """``tasks`` of ``steps`` optimizer steps each, of images that ``seed`` parts once.

    There are ``train`` and ``validation`` images, over all tasks; the rest of the 1,797 is for the test.
    """

    tasks: Annotated[int, Field(ge=1, le=100)] = 5
    steps: Annotated[int, Field(ge=1)] = 150
    train: TrainSize = 1200
    validation: ValidationSize = 300
    seed: Annotated[int, Field(ge=0)] = 0

    def clock(self) -> Clock:
        return even_clock(tasks=self.tasks, steps=self.steps)

    def shape(self) -> Shape:
        return SHAPE
