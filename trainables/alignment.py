"""Classifier alignment (SLCA: Zhang et al., arXiv:2303.05118): old classes as Gaussians of features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, inf, pi
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import one_hot

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.specs import Spec
from trainables.seeds import generator

if TYPE_CHECKING:
    from trainables.learners import Learner
    from trainables.scenarios.base import Split

RIDGE = 1e-4
"""Added to the diagonal of a covariance, as in the authors' code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment(Spec):
    """At the end of each task but the first, its merge done, the last layer is trained on features drawn anew.

    Each class met is a Gaussian, mean and covariance of its features by the student that ended its
    task. In each of ``steps`` every class gives ``samples`` of it, and the last layer goes along the
    gradient of the cross-entropy of z / (temperature ||z||), z the logits of the classes met, at a
    rate that falls from ``lr`` to 0 along a cosine. No sample is kept, and old statistics are not moved with
    the features: the body is to learn slowly (``body_rate`` 0.01 in SLCA).

    256 samples a class in 5 epochs, lr 0.01 and temperature 0.1 are the paper's; how they are
    spread over steps is ours. Its code norms logits task by task and shrinks older means by up to 0.1,
    and momentum 0.9; none of that is done here.
    """

    steps: Annotated[int, Field(ge=1)] = 40
    samples: Annotated[int, Field(ge=1)] = 32
    lr: Annotated[Schedule, Within(0, inf)] = Constant(value=0.01)
    temperature: Annotated[Schedule, Within(0.001, inf)] = Constant(value=0.1)


class Aligner:
    """What members remember of the classes they met: means [M, C, F], roots [M, C, F, F].

    A root times its transpose is the covariance. Every member is given the same normal numbers.
    """

    def __init__(self, alignment: Alignment, learner: Learner, members: int, seed: int) -> None:
        self._alignment, self._learner, self._seed = alignment, learner, seed
        classes, width = learner.layout.head
        self.means = learner.start.new_zeros(members, classes, width)
        self.roots = learner.start.new_zeros(members, classes, width, width)
        self._met = torch.zeros(classes, dtype=torch.bool)

    def close(self, students: Tensor, task: int, split: Split, now: Mapping[str, Tensor]) -> Tensor:
        """The students [M, P] that end ``task``, their last layers aligned from the second task on."""
        self._remember(students, split)
        if task == 0:
            return students
        lr, temperature = (now[f"alignment.{n}"] for n in ("lr", "temperature"))
        rng, met = generator("alignment", self._seed, task), self._met.to(students.device)
        classes, width = self._learner.layout.head
        aligned = students.clone()
        columns = self._learner.layout.head_columns
        heads, steps = students[:, columns], self._alignment.steps
        for step in range(steps):
            noise = torch.randn(classes, self._alignment.samples, width, generator=rng)
            rate = lr * ((1 + cos(pi * step / steps)) / 2)
            stacks = (self.means, self.roots, rate, temperature)
            heads = self._learner.heads(heads, stacks, noise.to(students), met)
        aligned[:, columns] = heads
        return aligned

    def _remember(self, students: Tensor, split: Split) -> None:
        members = one_hot(split.y, self._learner.classes).T.to(split.x.dtype)
        new = members.sum(-1) > 0
        means, spreads = self._learner.moments(students, split.x, members)
        ridge = RIDGE * torch.eye(means.shape[-1], device=means.device)
        roots = torch.linalg.cholesky_ex(spreads + ridge).L
        self.means, self.roots = self.means.to(means), self.roots.to(means)
        self.means = torch.where(new[:, None], means, self.means)
        self.roots = torch.where(new[:, None, None], roots, self.roots)
        self._met = self._met | new.cpu()

    def keep(self, members: list[int]) -> None:
        self.means, self.roots = self.means[members], self.roots[members]

    def state_dict(self) -> dict[str, Any]:
        return {"means": self.means, "roots": self.roots, "met": self._met}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.means, self.roots = state["means"].clone(), state["roots"].clone()
        self._met = state["met"].clone()
