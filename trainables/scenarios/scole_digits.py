"""SCoLe on the digits: many short tasks, each a few of the classes, which come again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field

from trainables.scenarios.base import Increment, Scenario, Split, Stream
from trainables.scenarios.digit_tasks import DigitTasks
from trainables.scenarios.digits import CLASSES, INPUTS, splits
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ScoleDigits(DigitTasks):
    """Each task shows all training images of ``classes`` digits, drawn anew for every task.

    SCoLe, scaling continual learning (Lesort et al., arXiv:2207.04543): a finite world whose parts
    recur. One head for all digits, and every task is validated and tested on all of them: each
    task forgets, and yet accuracy may rise along the stream. Two classes a task are the paper's.
    Its streams of about 1,000 tasks of an epoch are also possible here; 40 tasks of ten steps,
    somewhat more than an epoch at batch 32, are ours, so that a run takes seconds.

    The digits of a task depend on ``seed`` and the tasks before it: a longer stream begins like
    a shorter one.
    """

    tasks: Annotated[int, Field(ge=1, le=1000)] = 40
    classes: Annotated[int, Field(ge=1, le=10)] = 2
    steps: Annotated[int, Field(ge=1)] = 10
    kind: Literal["scole_digits"] = "scole_digits"

    def increment(self) -> Increment:
        return "class"

    def stream(self) -> Stream:
        train, validation, test = splits(
            train=self.train, validation=self.validation, seed=self.seed
        )
        shown = self._shown()
        sets = {some: _of_classes(train, some) for some in dict.fromkeys(shown)}
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=tuple(sets[some] for some in shown),
            validation=(validation,) * self.tasks,
            test=(test,) * self.tasks,
        )

    def _shown(self) -> list[tuple[int, ...]]:
        """The digits of each task, rising."""
        rng = generator("recurrence", self.seed)
        drawn = (torch.randperm(CLASSES, generator=rng) for _ in range(self.tasks))
        return [tuple(sorted(order[: self.classes].tolist())) for order in drawn]


def _of_classes(part: Split, classes: tuple[int, ...]) -> Split:
    return part.only(torch.isin(part.y, torch.tensor(classes)))
