"""Synaptic intelligence (Zenke et al., arXiv:1703.04200): importance along the path of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.importances.base import Finish, Importance, Passage


@Importance.register
@dataclass(frozen=True, kw_only=True, slots=True)
class SynapticIntelligence(Importance):
    """Omega <- Omega + max(0, path) / (moved^2 + damping), path = sum over steps of -g (after - before).

    Eq. 4 and 5 of the paper: how much of the loss's fall each weight brought about. ``g`` is the
    gradient of the loss without quadratic penalties, ``moved`` how far the weight came in the task and
    ``damping`` the paper's xi. With the term ``quadratic`` its weight is 2 c.

    A weight whose path is negative made the loss rise; a negative importance would
    drive it away from its anchor, so that it counts as 0. (The paper is silent; mammoth lets it
    be negative, and clips gradients, which is not done here.) The default 0.1 is the paper's.
    """

    sums: ClassVar[tuple[str, ...]] = ("path",)
    damping: Annotated[Schedule, Within(1e-8, inf)] = Constant(value=0.1)
    kind: Literal["synaptic_intelligence"] = "synaptic_intelligence"

    def gather_(self, sums: Mapping[str, Tensor], passage: Passage) -> None:
        moved = passage.after - passage.before
        sums["path"].addcmul_(passage.gradient, moved, value=-1)

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        moved = (at.weights - at.start).square()
        return old + sums["path"].clamp(min=0) / (moved + at.now["damping"])
