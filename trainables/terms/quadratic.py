"""A quadratic pull of the loss towards an anchor (L2, EWC, SI, MAS: the penalty twins of averaging)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.importances import Importance
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Quadratic(Term):
    """weight / 2 sum_i Omega_i (student_i - anchor_i)^2, over all parameters i.

    Without an ``importance`` every Omega is 1: L2 towards the anchor (Smith et al., arXiv:2203.17269,
    whose weights were not to be found). With one it is EWC (``fisher``, ``true_fisher``),
    ``synaptic_intelligence`` or ``memory_aware_synapses``, and nothing in the first task.

    Frameworks differ in the 1/2 and in how they scale Omega, so that no weight carries over.
    """

    anchor: Averager = Previous()
    importance: Importance | None = None
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    kind: Literal["quadratic"] = "quadratic"

    def value(self, lesson: Lesson) -> Tensor:
        anchor, omegas = lesson.companions["anchor"], lesson.companions.get("importance")
        apart = [
            (
                (weight - anchor[name].detach()).square()
                * (1 if omegas is None else omegas[name].detach())
            ).sum()
            for name, weight in lesson.student.items()
        ]
        return 0.5 * lesson.now["weight"] * torch.stack(apart).sum()

    def slope(self, student: Tensor, shown: Mapping[str, Tensor], weight: Tensor) -> Tensor:
        """The gradient of the value for stacks [M, P] and weights [M, 1]. [M, P]."""
        apart = weight * (student - shown["anchor"])
        return apart * shown["importance"] if "importance" in shown else apart
