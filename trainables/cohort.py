"""A cohort: M members with their own hyperparameters, trained in lockstep in one process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import pad

from spaces.clock import Clock
from spaces.schedules.base import Table
from trainables.alignment import Aligner
from trainables.averagers import Averager, refuse_unfollowed
from trainables.bank import BLOCK, Bank, absorb_
from trainables.boundaries import Boundaries, Ending
from trainables.captures import Capture, Way, way_of
from trainables.columns import Columns, Values, may_restart
from trainables.companions import Companions, Moment
from trainables.exactness import LEAST_ROWS
from trainables.importances.base import Estimate, Finish, Passage
from trainables.learners import Learner
from trainables.lessons import below
from trainables.losses import log_likelihoods
from trainables.materials import Materials
from trainables.optimizers.base import Slots
from trainables.panels import Panel, distinct
from trainables.readers import Reader
from trainables.readings import Reading, last_copy, reading
from trainables.recipes import Recipe
from trainables.refreshing import Unlearning
from trainables.scenarios.base import Batch, Split, Stream
from trainables.seeds import generator, joined
from trainables.tables import skeleton

Observe: TypeAlias = Callable[[range, Tensor], None]

CACHE = 2**21
"""Bytes of weights that are trained together on a CPU. Measured: with fewer the kernels are too
short for what it takes to call them, with more the weights are gone before they are needed again."""


OF_MERGES = 128
"""Training samples of a task that a merge's Fisher information is the mean over."""


@dataclass(frozen=True, slots=True)
class Member:
    """One student and the averagers that follow it, at least one: a seat of the cohort each."""

    recipe: Recipe
    averagers: tuple[Averager, ...]


class Cohort:
    """Students [M, P], their optimizer's memory, companions [M, P] and averages [M, K, P].

    Seats number the averagers: those of member 0 in order, then those of member 1, and so on.
    ``observe`` is shown the students [M, n, P] of each block of n steps, to copy what it wants.
    ``way`` says how its programs are launched on a device (``trainables/captures.py``).
    Averages are up to date ``every`` so many steps of a task: they take students in blocks of
    steps, which then end there. How they round in the last bit depends on it, and nothing else.
    Every member starts from the weights and sees the batches that ``seed`` decides, joined with
    the one that its recipe gives.

    Before a task: the pulls that open it. Each step: unlearning, the loss's gradient and its gate,
    the optimizer, the companions, the pulls. At the end of a task: the merge, the bank, then the
    companions that change there.

    Laws (``tests/contracts/test_cohorts.py``): each member, its averages and companions evolve
    to the last bit as they would alone, whoever else is there or has been dropped; cut at any
    task boundary, saved and resumed, a cohort ends as if never cut.

    Raises:
        ValueError: if there is no member, one has no averager or one that can only teach, or
            skeletons differ.
    """

    def __init__(  # noqa: PLR0913 - what it trains, then where and how, all by name
        self,
        members: Sequence[Member],
        stream: Stream,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        observe: Observe | None = None,
        every: int | None = None,
        way: Callable[[torch.device], Way] = way_of,
    ) -> None:
        _check(members)
        self.task = 0
        self._observe = observe
        self.every = every
        self._stream = stream.to(device)
        self._recipe = members[0].recipe
        self._seed = joined(seed, self._recipe.seed)
        self._fingerprint = _fingerprint(members, stream, seed)
        owners = [m for m, member in enumerate(members) for _ in member.averagers]
        self._seats = list(enumerate(owners))
        finish, recorder = way(torch.device(device))
        self._learner = Learner(self._recipe, stream, seed=seed, finish=finish)
        first = self._learner.start.to(device).expand(len(members), -1)
        # Each step writes its students to the next slot: what the bank is to take in is already
        # kept. Between tasks the students are in the last slot.
        self._slots = first.unsqueeze(1).repeat(1, BLOCK, 1)
        self._memory = {n: torch.zeros_like(first) for n in self._recipe.optimizer.memory}
        recipes = [member.recipe for member in members]
        self._tables = Columns(recipes, stream.clock, self._stream.train[0].x)
        self._companions = Companions(recipes, first, self._learner.drawn)
        self._materials = Materials(
            self._recipe, self._stream, seed=self._seed, members=len(members)
        )
        aligned = self._recipe.alignment
        self._aligner = (
            None if aligned is None else Aligner(aligned, self._learner, len(members), self._seed)
        )
        averagers = [member.averagers for member in members]
        self._boundaries = Boundaries(self._recipe, averagers, first, stream.clock)
        readings = [[reading(a, stream.clock) for a in of] for of in averagers]
        self._marks = [
            _marks(a, one, stream.clock)
            for of, member in zip(averagers, readings, strict=True)
            for a, one in zip(of, member, strict=True)
        ]
        self._read = [one.read for member in readings for one in member]
        weights = [[table for one in member for table in one.tables] for member in readings]
        blocks = [b for task in range(stream.clock.task_count) for b in self._blocks(task)]
        self._bank = Bank(weights, blocks, first)
        whole = self._learner.stacks and not self._materials.remembers
        self._capture = Capture(recorder) if recorder is not None and whole else None

    @property
    def seats(self) -> list[int]:
        """The seats still alive, by their original numbers."""
        return [seat for seat, _ in self._seats]

    @property
    def owners(self) -> list[int]:
        """The member that each seat still alive follows, by its original number."""
        return [member for _, member in self._seats]

    @property
    def students(self) -> Tensor:
        """The weights of the members still alive. Float32 [M, P]."""
        return self._slots[:, -1]

    @property
    def averages(self) -> Tensor:
        """The average of each seat still alive. Float32 [S, P]."""
        rows = self._bank.alive()
        if len(rows) != len(self._seats):
            read, task = [self._read[seat] for seat in self.seats], max(self.task, 1) - 1
            firsts = accumulate((max(of) + 1 for of in read), initial=0)
            rows = rows[[first + of[task] for first, of in zip(firsts, read, strict=False)]]
        if merged := self._boundaries.rows:
            rows = rows.clone()
            for at, seat in enumerate(self.seats):
                rows[at] = merged.get(seat, rows[at])
        return rows

    def reader(self, tasks: int) -> Reader:
        """What answers for its weights when the training samples of so many tasks have been seen."""
        return Reader(self._recipe.classifier, self._learner, self._stream.train[:tasks])

    @property
    def learner(self) -> Learner:
        """The network, and where its tensors lie in a row."""
        return self._learner

    @torch.no_grad()
    def train_task(self, pause: Callable[[int], None] | None = None) -> None:
        """Trains the next task to its end, without ever waiting for the device.

        ``pause`` is called ``every`` so many steps of the task, its end excepted, with the steps of
        the stream that are done: averages and students are then as they are after these.

        Raises:
            ValueError: if every task is done.
        """
        if self.task == self._stream.clock.task_count:
            raise ValueError(f"no task is left to train, got {self.task=}")
        blocks = self._blocks(self.task)
        self._pull_(blocks[0].start, slice(None), self.students, self._tables, ".opening")
        self._boundaries.begin(self.students)
        for block in blocks:
            shown = self._materials.batches(self.task, block)
            batches = [self._shaken(b, step) for step, b in zip(block, shown, strict=True)]
            if self._capture is None:
                for part in self._parts():
                    for slot, (step, batch) in enumerate(zip(block, batches, strict=True)):
                        self._step(step, slot, part, batch, self._tables)
            else:
                given = self._tables.over(block), tuple(batches)
                self._capture(self._steps, given, state=self._state())
            students = self._slots[:, : len(block)]
            if block is blocks[-1]:
                students[:, -1] = self._closed(students[:, -1])
            self._bank.absorb_(block, students)
            if self._observe is not None:
                self._observe(block, students)
            if len(block) < BLOCK:
                self._slots[:, -1] = students[:, -1]
            if pause is not None and block.stop in self._pauses(self.task):
                pause(block.stop)
        last = self._stream.clock.task_ends[self.task] - 1
        self._companions.settle_(Moment(last, self.students, self._finish), self._tables)
        self.task += 1

    def _steps(self, given: tuple[Tensor, tuple[Batch, ...]]) -> None:
        """The steps of a block, to be recorded: no number in them is but in a tensor."""
        values, batches = given
        tables = self._tables.of_any(values)
        for part in self._parts():
            for slot, batch in enumerate(batches):
                self._step(slot, slot, part, batch, tables)

    def _state(self) -> list[Tensor]:
        """All that a step reads or writes, besides what it is given."""
        return [self._slots, *self._memory.values(), *self._companions.tensors()]

    def _step(self, step: int, slot: int, part: slice, batch: Batch, tables: Values) -> None:
        """One step of some members on the same batch, and of all that goes with them."""
        students, now = self._slots[part, slot - 1], tables.at(step, part)
        memory = {name: stack[part] for name, stack in self._memory.items()}
        if may_restart(self._recipe) and tables.host("restart", step, part).any():
            for stack in memory.values():
                stack.masked_fill_(now["restart"] == 1, 0)
        if self._recipe.refresh is not None:
            students = self._unlearnt(students, part, batch, now)
            batch = batch._replace(jitter=None)
        shown = self._companions.shown(part)
        batch = self._materials.answered(batch, step, part)
        gradients = self._learner.gradients(students, shown, batch, now)
        slope = self._trained(gradients) if self._companions.watch else gradients
        if self._recipe.gate is not None:
            of = below(now, "gate")
            gradients *= self._learner.gates(self._recipe.gate, students, batch, of)
        if self._materials.stores(step):
            logits = self._learner.answers_in_training(students, batch.x, batch.mask)
            self._materials.store_(step, part, logits)
        slots = Slots(students, gradients, self._slots[part, slot])
        self._update_(slots, memory, now)
        self._slow_body_(slots, now, tables.host("body_rate", step, part))
        passage = Passage(students, slope, slots.out)
        self._companions.gather_(part, passage, now)
        self._companions.absorb_(step, part, passage, tables)
        self._pull_(step, part, slots.out, tables)

    def _pull_(
        self, step: int, part: slice, students: Tensor, tables: Values, when: str = ""
    ) -> None:
        """Draws students [m, P] towards the targets of their pulls, one pull after the other."""
        now = tables.at(step, part)
        for i in range(len(self._recipe.pulls)):
            target, name = self._companions.averages[f"pulls.{i}.toward"], f"pulls.{i}{when}"
            absorb_(students, target[part], now[name], tables.host(name, step, part))

    def _shaken(self, batch: Batch, step: int) -> Batch:
        """``batch`` with what unlearning looks at besides."""
        if self._recipe.refresh is None:
            return batch
        trained = self._learner.layout.carried.start
        drawn = torch.randn(trained, generator=generator("refresh", self._seed, step))
        width = self._slots.shape[-1]
        return batch._replace(jitter=pad(drawn, (0, width - trained)).to(self._slots))

    def _unlearnt(
        self, students: Tensor, part: slice, batch: Batch, now: Mapping[str, Tensor]
    ) -> Tensor:
        """What is left of the students [m, P] when they have unlearnt. [m, P]."""
        assert self._recipe.refresh is not None
        assert batch.jitter is not None
        at = Unlearning(
            students=students,
            slopes=self._learner.ascents(students, batch),
            importance=self._companions.importances["refresh.importance"][part],
            noise=batch.jitter,
        )
        return self._recipe.refresh.unlearnt(at, below(now, "refresh"))

    def _trained(self, gradients: Tensor) -> Tensor:
        """A copy of ``gradients`` without what stands in the columns of the buffers."""
        copy = gradients.clone()
        copy[:, self._learner.layout.carried] = 0
        return copy

    def _slow_body_(self, slots: Slots, now: Mapping[str, Tensor], rates: Table) -> None:
        """Shortens the step of all but the last layer."""
        if (rates == 1).all():
            return
        body = self._learner.body
        moved = slots.weights[:, body].clone()
        absorb_(moved, slots.out[:, body], now["body_rate"], rates)
        slots.out[:, body] = moved

    def _closed(self, students: Tensor) -> Tensor:
        """The students [M, P] that a task ends with, of those that it trained."""
        ending = self._ending(students)
        merged = self._boundaries.close(ending)
        if self._aligner is None:
            return merged
        split = self._stream.train[self.task]
        return self._aligner.close(merged, self.task, split, ending.now)

    def _ending(self, students: Tensor) -> Ending:
        old, new = self._materials.met(self.task)
        return Ending(
            task=self.task,
            student=students,
            fisher=lambda weights: self._slopes(weights, 2, log_likelihoods, OF_MERGES),
            now=self._tables.at(self._stream.clock.task_ends[self.task] - 1, slice(None)),
            layout=self._learner.layout,
            old=old,
            new=new,
        )

    def _finish(self, now: Mapping[str, Tensor]) -> Finish:
        return Finish(
            weights=self.students,
            start=self._boundaries.start,
            squares=partial(self._slopes, self.students, 2),
            sizes=partial(self._slopes, self.students, 1),
            classes=self._stream.classes,
            now=now,
        )

    def _slopes(
        self, rows: Tensor, power: int, of: Estimate, samples: int, label: int | None = None
    ) -> Tensor:
        """Means over ``samples`` of the task's training samples, drawn by seed and task. [R, P]."""
        split = self._stream.train[self.task]
        rng = generator("slopes", self._seed, self.task)
        some = torch.randperm(len(split), generator=rng)[:samples].to(split.y.device)
        mask = None if self._stream.masks is None else self._stream.masks[self.task]
        y = split.y[some] if label is None else torch.full_like(split.y[some], label)
        return self._learner.slopes(rows, Split(split.x[some], y), mask, of=of, power=power)

    def _update_(
        self, slots: Slots, memory: Mapping[str, Tensor], now: Mapping[str, Tensor]
    ) -> None:
        """Moves the weights; buffers, whose next values stand among the gradients, are replaced."""
        at = self._learner.layout.carried
        if at.start == at.stop:
            self._recipe.optimizer.update_(slots, memory, now)
            return
        buffers = slots.gradients[:, at].clone()
        slots.gradients[:, at] = 0
        self._recipe.optimizer.update_(slots, memory, now)
        slots.out[:, at] = buffers

    def _parts(self) -> list[slice]:
        """The members in parts of about a size, each small enough for the cache of a core."""
        count, row = len(self._slots), self._slots.shape[-1] * self._slots.element_size()
        number = min(-(-count * row // CACHE), count // LEAST_ROWS)
        number = max(1, number) if self._slots.device.type == "cpu" else 1
        edges = [count * i // number for i in range(number + 1)]
        return [slice(a, b) for a, b in pairwise(edges) if a < b]

    def _blocks(self, task: int) -> list[range]:
        """The steps of ``task`` in blocks, which reach over no pause and not into the next task."""
        clock = self._stream.clock
        edges = [clock.task_starts[task], *self._pauses(task), clock.task_ends[task]]
        return [
            range(a, min(a + BLOCK, end))
            for start, end in pairwise(edges)
            for a in range(start, end, BLOCK)
        ]

    def _pauses(self, task: int) -> range:
        """How many steps are done where ``task`` may pause."""
        start, end = self._stream.clock.task_starts[task], self._stream.clock.task_ends[task]
        every = self.every or end - start
        return range(start + every, end, every)

    def evaluate(self, splits: Sequence[Split]) -> Tensor:
        """Accuracy of each alive seat's average on each split, of task i the i-th. Float64 [S, n].

        NaN where the average or what it answers is not finite.
        """
        panel = Panel.of_averages(self, self._stream)
        return torch.cat([panel.scores(s, panel.mask(i)) for i, s in enumerate(splits)], dim=1)

    def distinct(self) -> tuple[Tensor, list[int]]:
        """The averages that differ by now, [D, P], and the place of each seat's among them."""
        first, places = distinct([(m, self._marks[seat][self.task]) for seat, m in self._seats])
        return (self.averages if len(first) == len(places) else self.averages[first]), places

    def keep(self, seats: Collection[int]) -> None:
        """Drops every other seat, and every member that has none left; moves the rest together.

        Raises:
            ValueError: if one of ``seats`` is not alive.
        """
        wanted = set(seats)
        if gone := sorted(wanted - set(self.seats)):
            raise ValueError(f"seats can only be kept while alive, got {gone=}")
        groups = [list(group) for _, group in groupby(self._seats, key=itemgetter(1))]
        owners = [[s for s, _ in g for _ in range(max(self._read[s]) + 1)] for g in groups]
        rows = [[r for r, s in enumerate(of) if s in wanted] for of in owners]
        at = [m for m, kept in enumerate(rows) if kept]
        self._bank.keep([rows[m] for m in at], at)
        self._boundaries.keep(wanted, at)
        if len(at) < len(rows):  # else nothing moves, and what was recorded of it holds
            self._slots = self._slots[at]
            self._memory = {n: memory[at] for n, memory in self._memory.items()}
            self._companions.keep(at)
            self._materials.keep(at)
            self._tables.keep(at)
            if self._aligner is not None:
                self._aligner.keep(at)
        self._seats = [seat for seat in self._seats if seat[0] in wanted]

    def state_dict(self) -> dict[str, Any]:
        """All that training from here on depends on, as plain tensors, numbers and words."""
        return {
            "fingerprint": self._fingerprint,
            "task": self.task,
            "seats": self.seats,
            "students": self.students.clone(),
            "memory": dict(self._memory),
            "companions": self._companions.state_dict(),
            "materials": self._materials.state_dict(),
            "boundaries": self._boundaries.state_dict(),
            "averages": self._bank.averages,
            "aligner": None if self._aligner is None else self._aligner.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from ``state``, saved by a cohort of the same members, stream and seed.

        Raises:
            ValueError: if it was saved by another.
        """
        for name, mine in self._fingerprint.items():
            saved = state["fingerprint"].get(name)
            if saved != mine:
                raise ValueError(f"the state is of a cohort with another {name}: {saved=} {mine=}")
        self.keep(state["seats"])
        self.task = state["task"]
        self._slots[:, -1] = state["students"]
        for name, memory in self._memory.items():
            memory.copy_(state["memory"][name])
        self._companions.load_state_dict(state["companions"])
        self._materials.load_state_dict(state["materials"])
        self._boundaries.load_state_dict(state["boundaries"])
        if self._aligner is not None:
            self._aligner.load_state_dict(state["aligner"])
        self._bank.averages.copy_(state["averages"])
        self._bank.look()


def _check(members: Sequence[Member]) -> None:
    if not members or not all(member.averagers for member in members):
        raise ValueError("a cohort needs a member, and every member an averager")
    for averager in (a for member in members for a in member.averagers):
        refuse_unfollowed(averager)
    if len({skeleton(member.recipe) for member in members}) != 1:
        raise ValueError("members of a cohort may differ in schedules and averagers only")


def _marks(averager: Averager, one: Reading, clock: Clock) -> list[bytes]:
    """What an average is made of, before the first task and after each.

    Of one student, averages of equal marks are equal; all before the last copy is forgotten.
    """
    said = b"" if averager.linear else repr(averager).encode()
    marks = [said]
    for end, row in zip(clock.task_ends, one.read, strict=True):
        table = one.tables[row][:end]
        made = hashlib.sha256(said + table[last_copy(table) :].tobytes())
        marks.append(made.digest())
    return marks


def _fingerprint(members: Sequence[Member], stream: Stream, seed: int) -> dict[str, str | int]:
    """What a saved state must agree in; members and data (labels, a sample a task) by digests."""
    data = hashlib.sha256(repr((stream.clock, stream.classes, stream.inputs)).encode())
    for split in stream.train:
        data.update(split.x[:1].cpu().numpy().tobytes() + split.y.cpu().numpy().tobytes())
    return {
        "version": 2,
        "seed": seed,
        "members": hashlib.sha256(repr(list(members)).encode()).hexdigest(),
        "stream": data.hexdigest(),
    }
