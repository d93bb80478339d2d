"""Refresh learning (Wang et al., "A unified and general framework for continual learning", ICLR 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.specs import Spec
from trainables.importances import Importance
from trainables.importances.fisher import Fisher


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshing(Spec):
    """Before each step: student <- student + rate D g + noise sqrt(2 rate D) n.

    One step of unlearning: ``g`` is the gradient of the cross-entropy on the step's own batch (of the
    batch alone, not of the strategy's loss), ``n`` standard normal, D = 1 / (1 + damping F) for the
    ``importance`` F: what mattered to earlier tasks is left alone. The step itself then learns anew
    from there. Any strategy may be refreshed; it costs one more pass forwards and backwards.

    This is the paper's form, a Langevin step whose inverse Fisher information is damped. Its code
    instead scales each tensor's step to the length of the tensor, at rate 1e-5 and damping 1e-3, and has
    a Fisher information that all but forgets (keep 1e-5), which is the default here. The paper's
    own rate is not known, ``rate`` and ``noise`` (1 in a Langevin step) are ours. Every member is given
    the same n.
    """

    rate: Annotated[Schedule, Within(0, inf)] = Constant(value=1e-3)
    noise: Annotated[Schedule, Within(0, inf)] = Constant(value=0.01)
    damping: Annotated[Schedule, Within(0, inf)] = Constant(value=1e-3)
    importance: Importance = Fisher(keep=Constant(value=1e-5))

    def unlearnt(self, at: Unlearning, now: Mapping[str, Tensor]) -> Tensor:
        """The students that the step starts from; ``now`` has each schedule's value, [M, 1]. [M, P]."""
        inverse = 1 / (1 + now["damping"] * at.importance)
        away = now["rate"] * inverse
        moved = torch.addcmul(at.students, away, at.slopes)
        return moved.addcmul_(now["noise"] * (2 * away).sqrt(), at.noise)


@dataclass(frozen=True, slots=True, eq=False)
class Unlearning:
    """Stacks [M, P]: ``students``, ``slopes`` of their cross-entropy, ``importance``; ``noise`` [P]."""

    students: Tensor
    slopes: Tensor
    importance: Tensor
    noise: Tensor
