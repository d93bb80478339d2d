"""A cohort: M members with their own hyperparameters, trained in lockstep in one process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import torch
from torch import Tensor

from trainables.alignment import Aligner
from trainables.bank import BLOCK, Bank
from trainables.boundaries import Boundaries, Ending
from trainables.branches.base import deploys_branch
from trainables.captures import Way, way_of
from trainables.companions import Moment
from trainables.importances.base import Estimate, Finish
from trainables.learners import Learner
from trainables.losses import log_likelihoods
from trainables.members import Member, check, fingerprint
from trainables.panels import Panel, distinct
from trainables.readers import Reader
from trainables.scenarios.base import Split, Stream
from trainables.seating import seated
from trainables.seeds import generator, joined
from trainables.stepper import SLOTS, Stepper
from trainables.walking import Walker

__all__ = ["Cohort", "Member"]

Observe: TypeAlias = Callable[[range, Tensor], None]

OF_MERGES = 128
"""Training samples of a task that a merge's Fisher information is the mean over."""


class Cohort:
    """Students [M, P], their optimizer's memory, companions [M, P] and averages [M, K, P].

    Seats number the averagers: those of member 0 in order, then those of member 1, and so on.
    ``observe`` is shown the students [M, n, P] of each block of n steps, to copy what it wants.
    ``way`` says how its programs are launched on a device (``trainables/captures.py``).
    Averages are up to date ``every`` so many steps of a task: they take students in blocks of
    steps, which then end there. How they round in the last bit depends on it, and nothing else.
    ``twin`` (``trainables/twins.py``) is trained, compacted and saved with it, seat for seat.
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
        twin: Cohort | None = None,
    ) -> None:
        check(members)
        self.task = 0
        self.twin = twin
        self._observe = observe
        self.every = every
        self._stream = stream.to(device)
        self.recipe = members[0].recipe
        self.seed = joined(seed, self.recipe.seed)
        own = fingerprint(members, stream, seed)
        self._fingerprint = own | {"twin": "" if twin is None else str(twin.seed)}
        self._seating, weights = seated(members, stream.clock)
        finish, recorder = way(torch.device(device))
        self._learner = Learner(self.recipe, stream, seed=seed, finish=finish)
        recipes = [member.recipe for member in members]
        slots = SLOTS if observe is None and not any(weights) else BLOCK
        self._stepper = Stepper(recipes, self._stream, self._learner, seed=self.seed, slots=slots)
        averagers = [member.averagers for member in members]
        first = self._stepper.students
        self._boundaries = Boundaries(self.recipe, averagers, first, stream.clock)
        aligned = self.recipe.alignment
        self._aligner = (
            None if aligned is None else Aligner(aligned, self._learner, len(members), self.seed)
        )
        blocks = [b for task in range(stream.clock.task_count) for b in self._blocks(task)]
        self._bank = Bank(weights, blocks, first)
        whole = self._learner.stacks and not self._stepper.materials.remembers
        self._walker = Walker(self._stepper, recorder if whole else None)
        everyone = [(m.recipe, a) for m in members for a in m.averagers]
        self._branching = {seat for seat, one in enumerate(everyone) if deploys_branch(*one)}
        self._branches: Tensor | None = None

    @property
    def seats(self) -> list[int]:
        """The seats still alive, by their original numbers."""
        return self._seating.seats

    @property
    def owners(self) -> list[int]:
        """The member that each seat still alive follows, by its original number."""
        return self._seating.owners

    @property
    def students(self) -> Tensor:
        """The weights of the members still alive. Float32 [M, P]."""
        return self._stepper.students

    @property
    def deployed(self) -> Tensor:
        """What is judged as the students: at the ends of tasks their branches, if any. [M, P]."""
        return self.students if self._branches is None else self._branches

    @property
    def averages(self) -> Tensor:
        """The average of each seat still alive. Float32 [S, P]."""
        teachers = self._stepper.companions.averages
        stacks = [self._bank.alive(), *(teachers[name] for name in self._seating.holders)]
        some = [stack for stack in stacks if len(stack)] or stacks[:1]
        rows, places = some[0] if len(some) == 1 else torch.cat(some), self._seating.rows(self.task)
        if places != list(range(len(rows))):
            rows = rows[places]
        if instead := self._boundaries.rows | self._branched():
            rows = rows.clone()
            for at, seat in enumerate(self.seats):
                rows[at] = instead.get(seat, rows[at])
        return rows

    def _branched(self) -> dict[int, Tensor]:
        """By seat, the branches that are deployed. [P] each."""
        if self._branches is None:
            return {}
        rows = dict(zip(dict.fromkeys(self.owners), self._branches, strict=True))
        pairs = zip(self.seats, self.owners, strict=True)
        return {seat: rows[owner] for seat, owner in pairs if seat in self._branching}

    def reader(self, tasks: int) -> Reader:
        """What answers for its weights when the training samples of so many tasks have been seen."""
        return Reader(self.recipe.classifier, self._learner, self._stream.train[:tasks])

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
        blocks, stepper, walker = self._blocks(self.task), self._stepper, self._walker
        ends: Tensor | None = None
        self._branches, first = None, walker.branches_at(blocks)
        stepper.open_(blocks[0].start)
        self._boundaries.begin(self.students)
        for block in blocks:
            if block is first:
                ends = walker.branch(self.task, blocks[blocks.index(block) :])
            students = walker.walk_(self.task, block)
            if block is blocks[-1]:
                students[:, -1] = self._closed(students[:, -1])
            self._bank.absorb_(block, students)
            if self._observe is not None:
                self._observe(block, students)
            walker.leave_(block)
            if pause is not None and block.stop in self._pauses(self.task):
                pause(block.stop)
        last = self._stream.clock.task_ends[self.task] - 1
        stepper.companions.settle_(Moment(last, self.students, self._finish), stepper.tables)
        self.task += 1
        self._branches = ends
        if self.twin is not None:
            self.twin.train_task()

    def _closed(self, students: Tensor) -> Tensor:
        """The students [M, P] that a task ends with, of those that it trained."""
        ending = self._ending(students)
        merged = self._boundaries.close(ending)
        if self._aligner is None:
            return merged
        split = self._stream.train[self.task]
        return self._aligner.close(merged, self.task, split, ending.now)

    def _ending(self, students: Tensor) -> Ending:
        old, new = self._stepper.materials.met(self.task)
        return Ending(
            task=self.task,
            student=students,
            fisher=lambda weights: self._slopes(weights, 2, log_likelihoods, OF_MERGES),
            now=self._stepper.tables.at(self._stream.clock.task_ends[self.task] - 1, slice(None)),
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
        rng = generator("slopes", self.seed, self.task)
        some = torch.randperm(len(split), generator=rng)[:samples].to(split.y.device)
        mask = None if self._stream.masks is None else self._stream.masks[self.task]
        y = split.y[some] if label is None else torch.full_like(split.y[some], label)
        return self._learner.slopes(rows, Split(split.x[some], y), mask, of=of, power=power)

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
        first, places = distinct(self._seating.marks(self.task))
        return (self.averages if len(first) == len(places) else self.averages[first]), places

    def keep(self, seats: Collection[int]) -> None:
        """Drops every other seat, and every member that has none left; moves the rest together.

        Raises:
            ValueError: if one of ``seats`` is not alive.
        """
        wanted, count = set(seats), len(self.students)
        rows = self._seating.keep(wanted)
        at = list(rows)
        self._bank.keep(list(rows.values()), at)
        self._boundaries.keep(wanted, at)
        if len(at) < count:  # else nothing moves, and what was recorded of it holds
            self._stepper.keep(at)
            if self._aligner is not None:
                self._aligner.keep(at)
            if self._branches is not None:
                self._branches = self._branches[at]
        if self.twin is not None:
            self.twin.keep(wanted)

    def state_dict(self) -> dict[str, Any]:
        """All that training from here on depends on, as plain tensors, numbers and words."""
        return {
            "fingerprint": self._fingerprint,
            "task": self.task,
            "seats": self.seats,
            "stepper": self._stepper.state_dict(),
            "boundaries": self._boundaries.state_dict(),
            "branches": self._branches,
            "averages": self._bank.averages,
            "aligner": None if self._aligner is None else self._aligner.state_dict(),
            "twin": None if self.twin is None else self.twin.state_dict(),
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
        self._stepper.load_state_dict(state["stepper"])
        self._boundaries.load_state_dict(state["boundaries"])
        if self._aligner is not None:
            self._aligner.load_state_dict(state["aligner"])
        if self.twin is not None:
            self.twin.load_state_dict(state["twin"])
        branches = state["branches"]
        self._branches = None if branches is None else branches.to(self.students)
        self._bank.averages.copy_(state["averages"])
