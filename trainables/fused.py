"""Fused steps: gradient, optimizer and the averages that steer, as one routine of one member after the other.

What a step computes of a member stays in the processor's cache from the loss to the last average
(``trainables/routines.py``). It is the optimizers' and averages' own code that is traced: there is no second one.
Which steps are fused is decided by what the members of a cohort share, so that a member's bits do not
depend on who is beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

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
from trainables.sequences import Places, run_, stack_at, stacks_at, tensors_at
from trainables.tracing import traced

if TYPE_CHECKING:
    from trainables.routines import Routine

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


class Course(NamedTuple):
    """Some steps: students in slots [m, n, P], other stacks [m, P] by name, values [m, steps, tables].

    At each of ``places`` are the slots of the students before a step and after it. ``moved`` are the averages that any
    member's student is taken into after it, ``slow`` is whether any member's body is slowed in it.
    """

    slots: Tensor
    places: Sequence[tuple[int, int]]
    memory: Mapping[str, Tensor]
    averages: Mapping[str, Tensor]
    importances: Mapping[str, Tensor]
    values: Tensor
    moved: Sequence[tuple[str, ...]]
    slow: Sequence[bool]

    def at(self, step: int) -> Passing:
        before, after = (self.slots[:, place] for place in self.places[step])
        rest = self.memory, self.averages, self.importances
        return Passing(before, after, *rest, self.values[:, step])

    def stacks(self) -> list[Places]:
        """Where the stacks of each step lie, as ``Passing`` has them in order."""
        before, after = (stacks_at(self.slots, each) for each in zip(*self.places, strict=True))
        rest = self.memory, self.averages, self.importances
        kept = [stack_at(t) for each in rest for t in each.values()]
        return [before, after, *kept, stacks_at(self.values, range(len(self.places)))]


class Fused:
    """The steps of one recipe, whose tables have ``names``."""

    def __init__(self, recipe: Recipe, learner: Learner, names: tuple[str, ...]) -> None:
        self._recipe, self._learner, self._names = recipe, learner, names
        self._known: dict[object, Routine | None] = {}

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

    def planned(self, course: Course, batches: Sequence[Batch]) -> Callable[[], None] | None:
        """What takes all steps of the ``course`` at once; None if one of them is not to be had."""
        own, rest = ([_dense(of(b)) for b in batches] for of in (stored, shared))
        found = [
            self._routine(course, step, batch, (*own[step], *rest[step]))
            for step, batch in enumerate(batches)
        ]
        routines = [routine for routine in found if routine is not None]
        if len(routines) < len(found):
            return None

        def go() -> None:
            kept = [tensors_at(each, rows=True) for each in zip(*own, strict=True)]
            shown = [tensors_at(each, rows=False) for each in zip(*rest, strict=True)]
            run_(routines, [*course.stacks(), *kept], shown, len(course.slots))

        return go

    def _routine(
        self, course: Course, step: int, batch: Batch, given: tuple[Tensor, ...]
    ) -> Routine | None:
        """Of one step, in which losses are ``given`` this of its batch."""
        moved, slow = course.moved[step], course.slow[step]
        key = moved, slow, batch.replay is None, *[t.shape for t in given]
        if key not in self._known:
            like = course.at(step)
            steering = tuple(below({**like.averages, **like.importances}, OF_THE_LOSS))
            sort = Sort(Given.of(steering, self._names, batch), moved, slow)
            self._known[key] = self._made(sort, like, given, len(stored(batch)))
        return self._known[key]

    def _made(
        self, sort: Sort, like: Passing, given: tuple[Tensor, ...], own: int
    ) -> Routine | None:
        stacks = like.stacks()

        def whole(*each: Tensor) -> None:
            self._whole(sort, like.filled(each[: len(stacks)]), each[len(stacks) :])

        key = "step", sort, self._learner.skeleton
        return routine_of(key, partial(traced, whole), (*stacks, *given), len(stacks) + own)

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


def _dense(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [t.contiguous() for t in tensors]


def slow_body_(slots: Slots, body: slice, w: Tensor, host: Table) -> None:
    """Shortens the step of all but the last layer: ``w`` [m, 1] of it are left. For ``host`` see ``absorb_``."""
    if (host == 1).all():
        return
    moved = slots.weights[:, body].clone()
    absorb_(moved, slots.out[:, body], w, host)
    slots.out[:, body] = moved
