"""Boundaries: what a cohort remembers of the ends of tasks, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from spaces.clock import Clock
from trainables.averagers import Averager
from trainables.averagers.merged import Merged
from trainables.lessons import below
from trainables.merges.base import Boundary
from trainables.recipes import Recipe
from trainables.stacks import Layout
from trainables.tables import tables


class Ending(NamedTuple):
    """A task that has just been trained: the ``student`` [M, P] as trained, the task's number.

    ``fisher`` is as in ``Boundary``; ``now`` has this step's value of every table, [M, 1].
    """

    task: int
    student: Tensor
    fisher: Callable[[Tensor], Tensor]
    now: dict[str, Tensor]
    layout: Layout
    old: Tensor
    new: Tensor


class Boundaries:
    """The weights [M, P] that this task and the stream began with; more if a merge looks at it."""

    def __init__(
        self, recipe: Recipe, averagers: Sequence[Sequence[Averager]], first: Tensor, clock: Clock
    ) -> None:
        self.initial = first.clone()
        self.start = first.clone()
        self._own = recipe.merge
        self._followed = {
            seat: (m, averager.by, tables(averager.by, clock))
            for seat, (m, averager) in enumerate(
                (m, a) for m, of in enumerate(averagers) for a in of
            )
            if isinstance(averager, Merged)
        }
        merges = [by for _, by, _ in self._followed.values()]
        merges += [] if self._own is None else [self._own]
        self._keeps_ends = any(m.ends or m.fishers for m in merges)
        self._keeps_fishers = any(m.fishers for m in merges)
        self._clock = clock
        none = first.new_zeros(len(first), 0, first.shape[1])
        self._ends, self._fishers = none, none
        self.rows: dict[int, Tensor] = {}
        """By seat, what the merges that are only followed made last. [P] each."""

    def close(self, ending: Ending) -> Tensor:
        """The student that goes on. [M, P]."""
        if self._keeps_ends:
            self._ends = torch.cat([self._ends, ending.student.unsqueeze(1)], 1)
        if self._keeps_fishers:
            fisher = ending.fisher(ending.student).unsqueeze(1)
            self._fishers = torch.cat([self._fishers, fisher], 1)
        for seat, (m, by, own) in self._followed.items():
            at = self._boundary(ending, slice(m, m + 1))
            step = self._clock.task_ends[ending.task] - 1
            now = {n: at.student.new_full((1, 1), float(t[step])) for n, t in own.items()}
            self.rows[seat] = by.merged(at._replace(now=now))[0]
        student = ending.student
        if self._own is not None:
            at = self._boundary(ending, slice(None))
            student = self._own.merged(at._replace(now=below(ending.now, "merge")))
        return student

    def begin(self, student: Tensor) -> None:
        """A task begins with ``student`` [M, P]."""
        self.start = student.clone()

    def _boundary(self, ending: Ending, part: slice) -> Boundary:
        return Boundary(
            task=ending.task,
            student=ending.student[part],
            start=self.start[part],
            initial=self.initial[part],
            ends=self._ends[part] if self._keeps_ends else ending.student[part].unsqueeze(1),
            fisher=ending.fisher,
            fishers=self._fishers[part] if self._keeps_fishers else None,
            now={},
            layout=ending.layout,
            old=ending.old,
            new=ending.new,
        )

    def keep(self, seats: set[int], members: list[int]) -> None:
        self.initial, self.start = self.initial[members], self.start[members]
        self._ends, self._fishers = self._ends[members], self._fishers[members]
        place = {m: i for i, m in enumerate(members)}
        self._followed = {
            s: (place[m], by, own) for s, (m, by, own) in self._followed.items() if s in seats
        }
        self.rows = {s: row for s, row in self.rows.items() if s in seats}

    def state_dict(self) -> dict[str, Any]:
        return {
            "ends": self._ends,
            "fishers": self._fishers,
            "rows": dict(self.rows),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._ends, self._fishers = (state[n].to(self.start) for n in ("ends", "fishers"))
        self.rows = {seat: row.to(self.start) for seat, row in state["rows"].items()}
