"""The scaling rule of averages for the size of a batch (Busbridge et al., arXiv:2307.13813)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from spaces.bounds import Within
from spaces.schedules.base import Schedule, Table

if TYPE_CHECKING:
    from spaces.clock import Clock


@Schedule.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Kappa(Schedule):
    """momentum[t]^kappa: of batches kappa times as large, the same momentum per sample.

    With ``momentum`` as found in batches of B samples and ``kappa`` = batch / B the horizon stays
    the same in samples. The rule has the learning rate scaled too: by kappa for SGD, by its square
    root for Adam.
    """

    momentum: Annotated[Schedule, Within(0, 1)]
    kappa: Annotated[float, Field(gt=0)]
    kind: Literal["kappa"] = "kappa"

    def table(self, clock: Clock) -> Table:
        return self.momentum.table(clock) ** self.kappa
