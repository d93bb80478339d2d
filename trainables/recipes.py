"""A recipe: how one member is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spaces.schedules.constant import Constant
from spaces.specs import Spec
from trainables.models import Model
from trainables.models.mlp import Mlp
from trainables.optimizers import Optimizer
from trainables.optimizers.sgd import Sgd
from trainables.strategies import Strategy
from trainables.strategies.finetune import Finetune


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe(Spec):
    """``batch`` samples a step. Schedules and averagers in it cost a slice; the rest a cohort."""

    model: Model = Mlp()
    optimizer: Optimizer = Sgd(lr=Constant(value=0.03))
    strategy: Strategy = Finetune()
    batch: Annotated[int, Field(ge=1)] = 32
