"""A recipe: how one member is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from spaces.schedules.constant import Constant
from spaces.specs import Spec
from trainables.models import Model
from trainables.models.mlp import Mlp
from trainables.optimizers import Optimizer
from trainables.optimizers.sgd import Sgd
from trainables.precisions import Precision
from trainables.strategies import Strategy
from trainables.strategies.finetune import Finetune
from trainables.tables import skeleton

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe(Spec):
    """``batch`` samples a step. Schedules and averagers in it cost a slice; the rest a cohort.

    ``seed`` decides, together with the study's, the first weights and the order of the batches.
    Members of a cohort share both; so another seed is another cohort, of the same program.

    In ``precision`` the networks of student and teachers compute while it trains
    (``trainables/precisions.py``). What is kept is float32, and so is every evaluation.
    """

    model: Model = Mlp()
    optimizer: Optimizer = Sgd(lr=Constant(value=0.03))
    strategy: Strategy = Finetune()
    batch: Annotated[int, Field(ge=1)] = 32
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    precision: Precision = "float32"


def program(recipe: Recipe) -> Hashable:
    """What the kernels of a step and its memory depend on. Equal for recipes that share a cohort."""
    return skeleton(replace(recipe, seed=0))
