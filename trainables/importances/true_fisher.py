"""Fisher information of the model's own answers (Amari; EWC: Kirkpatrick et al., arXiv:1612.00796)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.importances.base import Finish, Importance
from trainables.losses import log_likelihoods


@Importance.register
@dataclass(frozen=True, kw_only=True, slots=True)
class TrueFisher(Importance):
    """F <- keep F + mean over samples of E[(d log p(y | x))^2], y drawn from the model's own p(y | x).

    The diagonal of the Fisher information itself, as EWC defines it; most codes take the
    empirical one (``fisher``), which differs wherever the model does not answer as labelled. The
    expectation is exact, a sum over the classes, so that it costs as many passes as there are.
    """

    keep: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    samples: Annotated[int, Field(ge=1)] = 128
    kind: Literal["true_fisher"] = "true_fisher"

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        del sums
        each = (at.squares(weighted, self.samples, label) for label in range(at.classes))
        return old * at.now["keep"] + sum(each)


def weighted(logits: Tensor, y: Tensor) -> Tensor:
    """Log p(y | x) times the root of p(y | x), whose squared slopes are weighted by p(y | x)."""
    told = log_likelihoods(logits, y)
    return torch.exp(told / 2).detach() * told
