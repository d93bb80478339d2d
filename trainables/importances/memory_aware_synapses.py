"""Memory aware synapses (MAS: Aljundi et al., arXiv:1711.09601): how sensitive the answers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.importances.base import Finish, Importance


@Importance.register
@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryAwareSynapses(Importance):
    """Omega <- keep Omega + mean over samples of |d ||f(x)||^2|, f(x) being the logits; no labels.

    Eq. 2 and 4 of the paper: the squared norm, one sample at a time, summed over the tasks.
    (FACIL takes the norm itself and the gradient of a batch's mean, leaves heads out, and like
    Avalanche averages with the old importance at alpha 0.5; ``keep`` 0.5 with twice the weight is near
    that.) Of classes that the task's mask leaves out nothing is asked. With ``quadratic`` its weight
    is 2 lambda.
    """

    keep: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    samples: Annotated[int, Field(ge=1)] = 128
    kind: Literal["memory_aware_synapses"] = "memory_aware_synapses"

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        del sums
        return old * at.now["keep"] + at.sizes(squared_norm, self.samples)


def squared_norm(logits: Tensor, y: Tensor) -> Tensor:
    del y
    return logits.square().sum(-1)
