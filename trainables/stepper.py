"""The stepper: what one optimizer step moves, of all members of a cohort or of some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from trainables.bank import absorb_
from trainables.columns import Columns, Values, may_restart
from trainables.companions import Companions
from trainables.exactness import LEAST_ROWS
from trainables.fused import Course, Fused, slow_body_
from trainables.importances.base import Passage
from trainables.learners import Learner
from trainables.lessons import below
from trainables.materials import Materials
from trainables.optimizers.base import Slots
from trainables.recipes import Recipe
from trainables.refreshing import Unlearning
from trainables.scenarios.base import Batch, Stream
from trainables.seeds import generator

SLOTS = 5
"""Of the last students where nobody looks at those of every step: a divisor of ``BLOCK``, so that a block
ends in the last slot either way. One would do for most recipes, but a step may look at where it began."""

CACHE = 2**21
"""Bytes of weights that are trained together on a CPU. Measured: with fewer the kernels are too
short for what it takes to call them, with more the weights are gone before they are needed again."""


class Stepper:
    """Students in ``slots`` [M, n, P], their optimizer's memory and their companions.

    Each step writes its students to the next slot, after the last to the first: with ``BLOCK`` slots,
    what the bank is to take in is already kept, and with ``SLOTS`` there is nothing to be taken in.
    Between tasks the students are in the last slot. ``seed`` decides what is drawn.
    """

    def __init__(
        self, recipes: Sequence[Recipe], stream: Stream, learner: Learner, *, seed: int, slots: int
    ) -> None:
        self._recipe, self._learner, self._seed = recipes[0], learner, seed
        x = stream.train[0].x
        first = learner.start.to(x.device).expand(len(recipes), -1)
        self.slots = first.new_empty(len(recipes), slots, first.shape[1])
        self.slots[:, -1] = first
        self._carried = learner.layout.carried
        self._memory = {n: torch.zeros_like(first) for n in self._recipe.optimizer.memory}
        self.tables = Columns(recipes, stream.clock, x)
        slowed = [r.branch.of(r) for r in recipes if r.branch is not None]
        self.branches = Columns(slowed, stream.clock, x) if slowed else None
        """The tables of the members' branches, if they have any."""
        self.companions = Companions(recipes, first, learner.drawn)
        self.materials = Materials(self._recipe, stream, seed=seed, members=len(recipes))
        self._fused = Fused.of(self._recipe, learner, self.companions, self.tables.names)

    @property
    def students(self) -> Tensor:
        """[M, P]."""
        return self.slots[:, -1]

    def place(self, done: int) -> int:
        """The slot of the students when so many steps of a block are done."""
        return (done - 1) % self.slots.shape[1]

    def batches(self, task: int, steps: range) -> list[Batch]:
        """All that ``steps`` of the stream, which lie in ``task``, are shown."""
        shown = self.materials.batches(task, steps)
        return [self._shaken(batch, step) for step, batch in zip(steps, shown, strict=True)]

    def steps_(self, block: range, batches: Sequence[Batch], tables: Columns) -> None:
        """The steps of a block, by ``tables``."""
        for part in self._parts():
            for run in self._runs(block):
                steps, some = block[run.start : run.stop], batches[run.start : run.stop]
                if not self._together_(run, steps, part, some, tables):
                    for step, slot, batch in zip(steps, run, some, strict=True):
                        self._step(step, slot, part, batch, tables)

    def _runs(self, block: range) -> Iterable[range]:
        """The slots of steps between which there is nothing to be done but steps."""
        if self._fused is None or self.materials.remembers:
            return (range(slot, slot + 1) for slot in range(len(block)))
        # Without pulls memory is cleared where tasks begin, and so where a block does.
        return (range(len(block)),)

    def _together_(
        self, run: range, steps: range, part: slice, batches: Sequence[Batch], tables: Columns
    ) -> bool:
        """Takes a run of steps in one call; False, and nothing is done, if they are not fused."""
        if self._fused is None:
            return False
        course = Course(
            self.slots[part],
            [(self.place(slot), self.place(slot + 1)) for slot in run],
            {name: stack[part] for name, stack in self._memory.items()},
            *self.companions.stacks(part),
            tables.over(steps)[:, part].transpose(0, 1),
            self.companions.moved(steps, part, tables),
            tables.differs("body_rate", steps, part, 1),
        )
        pairs = zip(batches, steps, strict=True)
        shown = [self.materials.answered(batch, step, part) for batch, step in pairs]
        planned = self._fused.planned(course, shown)
        if planned is None:
            self._fused = None
            return False
        self._clear_(steps.start, part, tables)
        self._store_(shown[0], steps.start, course.at(0).before, part)
        planned()
        return True

    def any_steps_(self, given: tuple[Tensor, tuple[Batch, ...]]) -> None:
        """The steps of any block, to be recorded: no number in them is but in a tensor."""
        values, batches = given
        tables = self.tables.of_any(values)
        for part in self._parts():
            for slot, batch in enumerate(batches):
                self._step(slot, slot, part, batch, tables)

    def tensors(self) -> list[Tensor]:
        """All that a step reads or writes, besides what it is given."""
        return [self.slots, *self._memory.values(), *self.companions.tensors()]

    def kept(self) -> list[Tensor]:
        """A copy of all that steps change, between two blocks of them."""
        return [tensor.clone() for tensor in self._changed()]

    def put_back_(self, kept: Sequence[Tensor]) -> None:
        """Takes everything to where it was ``kept``."""
        for tensor, old in zip(self._changed(), kept, strict=True):
            tensor.copy_(old)

    def _changed(self) -> list[Tensor]:
        own = [self.students, *self._memory.values()]
        return [*own, *self.companions.tensors(), *self.materials.tensors()]

    def open_(self, step: int) -> None:
        """What pulls do before the task that begins with ``step``."""
        self._pull_(step, slice(None), self.students, self.tables, ".opening")

    def _step(self, step: int, slot: int, part: slice, batch: Batch, tables: Values) -> None:
        """One step of some members on the same batch, and of all that goes with them."""
        before, after = self.place(slot), self.place(slot + 1)
        students, out = self.slots[part, before], self.slots[part, after]
        memory = {name: stack[part] for name, stack in self._memory.items()}
        self._clear_(step, part, tables)
        if self._recipe.refresh is not None:
            students = self._unlearnt(students, part, batch, tables.at(step, part))
            batch = batch._replace(jitter=None)
        batch = self.materials.answered(batch, step, part)
        self._store_(batch, step, students, part)
        now = tables.at(step, part)
        gradients = self._learner.gradients(students, self.companions.shown(part), batch, now)
        slope = self._trained(gradients) if self.companions.watch else gradients
        if self._recipe.gate is not None:
            of = below(now, "gate")
            gradients *= self._learner.gates(self._recipe.gate, students, batch, of)
        slots = Slots(students, gradients, out)
        self._update_(slots, memory, now)
        rates = tables.host("body_rate", step, part)
        slow_body_(slots, self._learner.body, now["body_rate"], rates)
        passage = Passage(students, slope, slots.out)
        self.companions.gather_(part, passage, now)
        self.companions.absorb_(step, part, passage, tables)
        self._pull_(step, part, slots.out, tables)

    def _clear_(self, step: int, part: slice, tables: Values) -> None:
        """Clears the memory of the optimizers that start anew with a step."""
        if may_restart(self._recipe) and tables.host("restart", step, part).any():
            anew = tables.at(step, part)["restart"] == 1
            for stack in self._memory.values():
                stack[part].masked_fill_(anew, 0)

    def _store_(self, batch: Batch, step: int, students: Tensor, part: slice) -> None:
        """Has members remember what they answer to a batch before they learn from it."""
        if self.materials.stores(step):
            logits = self._learner.answers_in_training(students, batch.x, batch.mask)
            self.materials.store_(step, part, logits)

    def _pull_(
        self, step: int, part: slice, students: Tensor, tables: Values, when: str = ""
    ) -> None:
        """Draws students [m, P] towards the targets of their pulls, one pull after the other."""
        now = tables.at(step, part)
        for i in range(len(self._recipe.pulls)):
            target, name = self.companions.averages[f"pulls.{i}.toward"], f"pulls.{i}{when}"
            absorb_(students, target[part], now[name], tables.host(name, step, part))

    def _shaken(self, batch: Batch, step: int) -> Batch:
        """``batch`` with what unlearning looks at besides."""
        if self._recipe.refresh is None:
            return batch
        trained = self._learner.layout.carried.start
        drawn = torch.randn(trained, generator=generator("refresh", self._seed, step))
        width = self.slots.shape[-1]
        return batch._replace(jitter=pad(drawn, (0, width - trained)).to(self.slots))

    def _unlearnt(
        self, students: Tensor, part: slice, batch: Batch, now: Mapping[str, Tensor]
    ) -> Tensor:
        """What is left of the students [m, P] when they have unlearnt. [m, P]."""
        assert self._recipe.refresh is not None
        assert batch.jitter is not None
        at = Unlearning(
            students=students,
            slopes=self._learner.ascents(students, batch),
            importance=self.companions.importances["refresh.importance"][part],
            noise=batch.jitter,
        )
        return self._recipe.refresh.unlearnt(at, below(now, "refresh"))

    def _trained(self, gradients: Tensor) -> Tensor:
        """A copy of ``gradients`` without what stands in the columns of the buffers."""
        copy = gradients.clone()
        copy[:, self._carried] = 0
        return copy

    def _update_(
        self, slots: Slots, memory: Mapping[str, Tensor], now: Mapping[str, Tensor]
    ) -> None:
        """Moves the weights; buffers, whose next values stand among the gradients, are replaced."""
        at = self._carried
        if at.start == at.stop:
            self._recipe.optimizer.update_(slots, memory, now)
            return
        buffers = slots.gradients[:, at].clone()
        slots.gradients[:, at] = 0
        self._recipe.optimizer.update_(slots, memory, now)
        slots.out[:, at] = buffers

    def _parts(self) -> list[slice]:
        """The members in parts of about a size, each small enough for the cache of a core."""
        count, row = len(self.slots), self.slots.shape[-1] * self.slots.element_size()
        number = min(-(-count * row // CACHE), count // LEAST_ROWS)
        number = max(1, number) if self.slots.device.type == "cpu" else 1
        edges = [count * i // number for i in range(number + 1)]
        return [slice(a, b) for a, b in pairwise(edges) if a < b]

    def keep(self, members: list[int]) -> None:
        self.slots = self.slots[members]
        self._memory = {n: memory[members] for n, memory in self._memory.items()}
        self.companions.keep(members)
        self.materials.keep(members)
        self.tables.keep(members)
        if self.branches is not None:
            self.branches.keep(members)

    def state_dict(self) -> dict[str, Any]:
        """Between tasks."""
        return {
            "students": self.students.clone(),
            "memory": dict(self._memory),
            "companions": self.companions.state_dict(),
            "materials": self.materials.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.slots[:, -1] = state["students"]
        for name, memory in self._memory.items():
            memory.copy_(state["memory"][name])
        self.companions.load_state_dict(state["companions"])
        self.materials.load_state_dict(state["materials"])
