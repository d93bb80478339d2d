"""Split digits: the ten classes arrive a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from trainables.scenarios.base import Increment, Scenario, Shape, Split, Stream
from trainables.scenarios.digit_tasks import DigitTasks
from trainables.scenarios.digits import CLASSES, INPUTS, splits
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class SplitDigits(DigitTasks):
    """Each task brings 10 / ``tasks`` digits that were not seen before.

    ``incremental`` says what a member is told and asked: ``class``, told nothing, it chooses
    among all ten digits from the start; ``task``, told which task a sample belongs to, so that
    only the logits of that task's digits count, in training and in evaluation; ``domain``, told
    nothing, it answers the digit's place among its task's digits, in rising order, which is the
    same question in every task (van de Ven & Tolias, arXiv:1904.07734). ``order`` is the digits'
    order of arrival: ``natural`` (0 to 9) or ``shuffled`` (drawn from ``seed``).

    ``train`` and ``validation`` are images over all tasks, the rest of the 1,797 is for the
    test; every class has its share of each. Each task lasts ``steps`` optimizer steps.
    """

    tasks: Literal[1, 2, 5, 10] = 5
    incremental: Literal["class", "task", "domain"] = "class"
    order: Literal["natural", "shuffled"] = "natural"
    kind: Literal["split_digits"] = "split_digits"

    def __post_init__(self) -> None:
        if self.tasks == CLASSES and self.incremental != "class":
            raise ValueError(
                f"a task of one digit leaves nothing to choose: with incremental: "
                f"{self.incremental} there may be at most 5 tasks, got tasks={self.tasks}"
            )

    def shape(self) -> Shape:
        own = CLASSES // self.tasks
        return Shape(INPUTS, own if self.incremental == "domain" else CLASSES)

    def increment(self) -> Increment:
        return self.incremental

    def stream(self) -> Stream:
        parts = splits(train=self.train, validation=self.validation, seed=self.seed)
        members = self._members()
        train, validation, test = (self._by_task(part, members) for part in parts)
        return Stream(
            clock=self.clock(),
            classes=self.shape().classes,
            inputs=INPUTS,
            train=train,
            validation=validation,
            test=test,
            masks=members if self.incremental == "task" else None,
        )

    def _by_task(self, part: Split, members: Tensor) -> tuple[Split, ...]:
        shown = tuple(part.only(of[part.y]) for of in members)
        if self.incremental != "domain":
            return shown
        places = members.cumsum(1) - 1
        return tuple(Split(s.x, place[s.y]) for s, place in zip(shown, places, strict=True))

    def _members(self) -> Tensor:
        """Which classes each task brings. bool [tasks, 10]."""
        order = torch.arange(CLASSES)
        if self.order == "shuffled":
            order = torch.randperm(CLASSES, generator=generator("order", self.seed))
        members = torch.zeros(self.tasks, CLASSES, dtype=torch.bool)
        return members.scatter_(1, order.view(self.tasks, -1), value=True)
