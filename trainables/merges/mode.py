"""The mode of all tasks' posteriors (mode-IMM: Lee et al., arXiv:1703.08475, eq. 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from trainables.merges.base import Boundary, Merge, total


@Merge.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Mode(Merge):
    """sum_t (F_t + floor) end_t / sum_t (F_t + floor), over the tasks t so far, weight by weight.

    F_t is the diagonal of the empirical Fisher information at the end of task t, on that task's
    samples (``Boundary``). ``floor`` makes it the mean where no task cares for a weight, in place of
    0 / 0; its value is ours.
    """

    ends: ClassVar[bool] = True
    fishers: ClassVar[bool] = True
    floor: Annotated[float, Field(ge=1e-30, le=1)] = 1e-12
    kind: Literal["mode"] = "mode"

    def merged(self, at: Boundary) -> Tensor:
        assert at.fishers is not None
        shares = [fisher + self.floor for fisher in at.fishers.unbind(1)]
        weighed = (s * end for s, end in zip(shares, at.ends.unbind(1), strict=True))
        return total(weighed) / total(shares)
