"""Fused steps: gradient, optimizer and the averages that steer, as one routine of one member after the other.

What a step computes of a member stays in the processor's cache from the loss to the last average
(``trainables/routines.py``). It is the optimizers' and averages' own code that is traced: there is no second one.
Which steps are fused is decided by what the members of a cohort share, so that a member's bits do not
depend on who is beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from spaces.schedules.base import Table
from trainables.bank import absorb_
from trainables.companions import OF_THE_LOSS, Companions
from trainables.learners import Given, Learner, shared, stored
from trainables.lessons import below
from trainables.optimizers.base import Slots
from trainables.programs import routine_of
from trainables.recipes import Recipe
from trainables.scenarios.base import Batch
from trainables.tracing import traced

Step: TypeAlias = Callable[..., object]

ANY = np.array([0.0, 0.5, 1.0])
"""Weights of some members that skip a step, some that average and some that copy."""


class Sort(NamedTuple):
    """What decides which kernels a step has.

    ``moved`` are the averages that take the students in; ``slow`` is whether a body moves less far than the rest.
    """

    given: Given
    moved: tuple[str, ...]
    slow: bool


class Passing(NamedTuple):
    """Students [m, P] before and after a step, other stacks [m, P] by name, values [m, tables]."""

    before: Tensor
    after: Tensor
    memory: Mapping[str, Tensor]
    averages: Mapping[str, Tensor]
    importances: Mapping[str, Tensor]
    values: Tensor

    def stacks(self) -> tuple[Tensor, ...]:
        rest = self.memory, self.averages, self.importances
        return (self.before, self.after, *(t for each in rest for t in each.values()), self.values)

    def filled(self, stacks: Sequence[Tensor]) -> Passing:
        """The same of other ``stacks``, in that order."""
        before, after, *rest, values = stacks
        each = iter(rest)
        named = self.memory, self.averages, self.importances
        memory, averages, importances = ({n: next(each) for n in some} for some in named)
        return Passing(before, after, memory, averages, importances, values)


class Fused:
    """The steps of one recipe, whose tables have ``names``."""

    def __init__(self, recipe: Recipe, learner: Learner, names: tuple[str, ...]) -> None:
        self._recipe, self._learner, self._names = recipe, learner, names
        self._known: dict[object, Step | None] = {}

    @classmethod
    def of(
        cls, recipe: Recipe, learner: Learner, companions: Companions, names: tuple[str, ...]
    ) -> Fused | None:
        """None if something goes on within its steps that is done by itself."""
        within = recipe.refresh is not None or recipe.gate is not None or recipe.pulls
        carried = learner.layout.carried
        if within or companions.watch or carried.start != carried.stop or not learner.fuses:
            return None
        return cls(recipe, learner, names)

    def step_(self, passing: Passing, batch: Batch, moved: tuple[str, ...], *, slow: bool) -> bool:
        """One step; False, and nothing is done, if it is not to be had.

        ``moved`` are the averages that any member's student is taken into, ``slow`` is whether any member's body is slowed.
        """
        own, rest = stored(batch), shared(batch)
        arguments = (*passing.stacks(), *own, *rest)
        key = moved, slow, len(own), *[t.shape for t in rest]
        if key not in self._known:
            steering = tuple(below({**passing.averages, **passing.importances}, OF_THE_LOSS))
            sort = Sort(Given.of(steering, self._names, batch), moved, slow)
            self._known[key] = self._routine(sort, passing, arguments, len(arguments) - len(rest))
        routine = self._known[key]
        if routine is None:
            return False
        routine(*arguments)
        return True

    def _routine(
        self, sort: Sort, like: Passing, arguments: tuple[Tensor, ...], mapped: int
    ) -> Step | None:
        many = len(like.stacks())

        def whole(*given: Tensor) -> None:
            self._whole(sort, like.filled(given[:many]), given[many:])

        key = "step", sort, self._learner.skeleton
        return routine_of(key, partial(traced, whole), arguments, mapped)

    def _whole(self, sort: Sort, at: Passing, batch: tuple[Tensor, ...]) -> None:
        """All that is traced: as ``Stepper`` would have it."""
        now = dict(zip(self._names, torch.split(at.values, 1, dim=1), strict=True))
        steering = below({**at.averages, **at.importances}, OF_THE_LOSS)
        stacks = [*steering.values(), *(now[n] for n in sort.given.now)]
        gradients = self._learner.gradients_of(sort.given)(at.before, *stacks, *batch)
        slots = Slots(at.before, gradients, at.after)
        self._recipe.optimizer.update_(slots, at.memory, now)
        if sort.slow:
            slow_body_(slots, self._learner.body, now["body_rate"], ANY)
        for name in sort.moved:
            absorb_(at.averages[name], at.after, now[name], ANY)


def slow_body_(slots: Slots, body: slice, w: Tensor, host: Table) -> None:
    """Shortens the step of all but the last layer: ``w`` [m, 1] of it are left. For ``host`` see ``absorb_``."""
    if (host == 1).all():
        return
    moved = slots.weights[:, body].clone()
    absorb_(moved, slots.out[:, body], w, host)
    slots.out[:, body] = moved
