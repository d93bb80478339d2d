"""Split digits: the ten classes arrive a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.clock import Clock
from trainables.scenarios.base import Scenario, Shape, Split, Stream, even_clock
from trainables.scenarios.digits import (
    CLASSES,
    INPUTS,
    SHAPE,
    Digits,
    TrainSize,
    ValidationSize,
    parts,
)
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class SplitDigits(Scenario):
    """Each task brings 10 / ``tasks`` digits that were not seen before.

    ``incremental`` says what a member is told: ``class``, nothing, it chooses among all ten
    digits from the start; ``task``, which task a sample belongs to, so that only the logits of
    that task's digits count, in training and in evaluation (van de Ven & Tolias,
    arXiv:1904.07734). ``order`` is the digits' order of arrival: ``natural`` (0 to 9) or
    ``shuffled`` (drawn from ``seed``).

    ``train`` and ``validation`` are images over all tasks, the rest of the 1,797 is for the
    test; every class has its share of each. Each task lasts ``steps`` optimizer steps.
    """

    tasks: Literal[1, 2, 5, 10] = 5
    incremental: Literal["class", "task"] = "class"
    order: Literal["natural", "shuffled"] = "natural"
    steps: Annotated[int, Field(ge=1)] = 150
    train: TrainSize = 1200
    validation: ValidationSize = 300
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["split_digits"] = "split_digits"

    def clock(self) -> Clock:
        return even_clock(tasks=self.tasks, steps=self.steps)

    def shape(self) -> Shape:
        return SHAPE

    def stream(self) -> Stream:
        train, validation, test = parts(
            train=self.train, validation=self.validation, seed=self.seed
        )
        members = self._members()
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=_by_task(train, members),
            validation=_by_task(validation, members),
            test=_by_task(test, members),
            masks=members if self.incremental == "task" else None,
        )

    def _members(self) -> Tensor:
        """Which classes each task brings. bool [tasks, 10]."""
        order = torch.arange(CLASSES)
        if self.order == "shuffled":
            order = torch.randperm(CLASSES, generator=generator("order", self.seed))
        members = torch.zeros(self.tasks, CLASSES, dtype=torch.bool)
        return members.scatter_(1, order.view(self.tasks, -1), value=True)


def _by_task(part: Digits, members: Tensor) -> tuple[Split, ...]:
    return tuple(Split(part.x[of[part.y]].float(), part.y[of[part.y]]) for of in members)
