"""A recipe: how one member is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from spaces.bounds import PROBE, Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.specs import Spec
from trainables.alignment import Alignment
from trainables.branches import Branch
from trainables.classifiers import Classifier
from trainables.classifiers.head import Head
from trainables.gates import Gate
from trainables.memories import Memory
from trainables.merges import Merge
from trainables.models import Model
from trainables.models.mlp import Mlp
from trainables.optimizers import Optimizer
from trainables.optimizers.sgd import Sgd
from trainables.precisions import Precision
from trainables.pulls import Pull
from trainables.refreshing import Refreshing
from trainables.strategies import Strategy
from trainables.strategies.finetune import Finetune
from trainables.tables import skeleton

if TYPE_CHECKING:
    from collections.abc import Hashable

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe(Spec):
    """``batch`` samples a step. Schedules, averagers and pulls cost a slice; the rest a cohort.

    After each step the ``pulls`` act in order, and at the end of each task ``merge``. Every
    parameter but the last layer's moves ``body_rate`` times as far as the optimizer would have
    it (the learning rates' ratio of SLCA, arXiv:2303.05118; 0 freezes it). ``optimizer_at_task`` says
    whether the optimizer's memory starts anew with each task.

    ``classifier`` says how what is deployed answers; it changes no training.

    ``refresh`` has it unlearn a little before each step, ``gate`` says whose gradients pass
    in a step: both go with any strategy. ``alignment`` trains the last layer anew at the end of a task.

    ``branch`` says what is deployed at the end of a task beside the student that goes on, if not that.

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
    memory: Memory | None = None
    pulls: tuple[Pull, ...] = ()
    merge: Merge | None = None
    classifier: Classifier = Head()
    refresh: Refreshing | None = None
    gate: Gate | None = None
    alignment: Alignment | None = None
    branch: Branch | None = None
    body_rate: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)
    optimizer_at_task: Literal["keep", "reset"] = "keep"

    def __post_init__(self) -> None:
        if not self.classifier.trained and self._learns():
            raise ValueError(
                f"classifier: {self.classifier.kind} answers by features that never change, but a head "
                "and a body are trained here: set optimizer.lr to 0, or leave the classifier out"
            )
        wanted = "replay" in self.strategy.needs()
        if wanted and self.memory is None:
            raise ValueError(
                "memory: the strategy replays the past, of which nothing is kept: give a memory, "
                "such as {kind: reservoir, size: 200}"
            )
        if self.memory is not None and not wanted:
            raise ValueError(
                "memory: nothing in the strategy looks at it: leave it out, or add a term such as "
                "{kind: replay}"
            )

        acts = [name for name in ("merge", "alignment") if getattr(self, name) is not None]
        if self.branch is not None and acts:
            raise ValueError(
                f"branch: what is deployed at the end of a task is a branch, and {acts[0]} would change "
                "the student that goes on and not it: leave one of them out"
            )

    def _learns(self) -> bool:
        lr: Schedule = self.optimizer.lr
        return bool((lr.table(PROBE) > 0).any())

    def restarts(self, clock: Clock) -> Table:
        """1 at the steps before which the optimizer's memory is cleared, else 0. [clock.steps]."""
        out = np.zeros(clock.steps)
        if self.optimizer_at_task == "reset":
            out[list(clock.task_starts)] = 1
        for pull in self.pulls:
            if pull.optimizer == "reset":
                out[1:][pull.table(clock)[:-1] > 0] = 1
                out[np.array(clock.task_starts)[pull.opening(clock) > 0]] = 1
        return out


def program(recipe: Recipe) -> Hashable:
    """What the kernels of a step and its memory depend on. Equal for recipes that share a cohort."""
    return skeleton(replace(recipe, seed=0))
