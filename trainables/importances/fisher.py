"""Fisher information (EWC: Kirkpatrick et al., arXiv:1612.00796; online: Schwarz et al., 1805.06370)."""

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
from trainables.losses import log_likelihoods


@Importance.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Fisher(Importance):
    """F <- keep F + mean over samples of (d log p(y | x))^2, the diagonal of the empirical Fisher.

    Empirical: of the samples' own labels y, one sample at a time (not of whole batches, as PyCIL
    and Avalanche take it, nor weighted by p(y | x) and clipped). ``true_fisher`` is of the model's
    own labels. ``keep`` 1 adds the tasks up, below 1 forgets old tasks gracefully (online EWC's
    gamma). The mean is over ``samples`` of the task's training samples; all, if there are fewer.

    EWC is the term ``quadratic`` with this importance: its weight is the paper's lambda, which
    codes without the 1/2 have half of.
    """

    keep: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    samples: Annotated[int, Field(ge=1)] = 128
    kind: Literal["fisher"] = "fisher"

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        del sums
        return old * at.now["keep"] + at.squares(log_likelihoods, self.samples)
