"""Gaussian blobs whose means drift from task to task: a scenario small enough for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.clock import Clock
from trainables.scenarios.base import Increment, Scenario, Shape, Split, Stream, even_clock
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Blobs(Scenario):
    """Domain-incremental: one unit Gaussian for each class, in ``dims`` dimensions.

    The means of the first task are drawn from a Gaussian of scale 2; each later task moves
    every mean by ``drift`` in a direction of its own. ``train``, ``validation`` and ``test``
    are samples per task, each class as often as the next.
    """

    tasks: Annotated[int, Field(ge=1, le=100)] = 3
    steps: Annotated[int, Field(ge=1)] = 20
    dims: Annotated[int, Field(ge=2)] = 8
    classes: Annotated[int, Field(ge=2)] = 4
    drift: Annotated[float, Field(ge=0, le=100)] = 3.0
    train: Annotated[int, Field(ge=1)] = 64
    validation: Annotated[int, Field(ge=1)] = 32
    test: Annotated[int, Field(ge=1)] = 32
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["blobs"] = "blobs"

    def clock(self) -> Clock:
        return even_clock(tasks=self.tasks, steps=self.steps)

    def shape(self) -> Shape:
        return Shape((self.dims,), self.classes)

    def increment(self) -> Increment:
        return "domain"

    def stream(self) -> Stream:
        rng = generator("blobs", self.seed)
        tasks = [[_draw(m, n, rng) for n in self._sizes()] for m in self._means(rng)]
        train, validation, test = zip(*tasks, strict=True)
        return Stream(
            clock=self.clock(),
            classes=self.classes,
            inputs=(self.dims,),
            train=train,
            validation=validation,
            test=test,
        )

    def _sizes(self) -> tuple[int, int, int]:
        return self.train, self.validation, self.test

    def _means(self, rng: torch.Generator) -> list[Tensor]:
        """The mean of each class in each task. Per task float32 [classes, dims]."""
        means = [2 * torch.randn(self.classes, self.dims, generator=rng)]
        while len(means) < self.tasks:
            step = torch.randn(self.classes, self.dims, generator=rng)
            means.append(means[-1] + self.drift * step / step.norm(dim=1, keepdim=True))
        return means


def _draw(means: Tensor, samples: int, rng: torch.Generator) -> Split:
    y = torch.arange(samples) % len(means)
    return Split(means[y] + torch.randn(samples, means.shape[1], generator=rng), y)
