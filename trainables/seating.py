"""Seating: the averagers of a cohort by number, and which rows of the bank each of them needs."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

from spaces.clock import Clock
from spaces.schedules.base import Table
from trainables.averagers import Averager
from trainables.branches.base import deploys_branch
from trainables.members import Member
from trainables.readings import Reading, last_copy, reading
from trainables.recipes import Recipe


def seated(members: Sequence[Member], clock: Clock) -> tuple[Seating, list[list[Table]]]:
    """The seating of ``members``, and of each the tables of the rows that its averagers need."""
    readings = [[reading(a, clock) for a in member.averagers] for member in members]
    seating = Seating(members, [one for of in readings for one in of], clock)
    return seating, [[table for one in of for table in one.tables] for of in readings]


class Seating:
    """Seats number the averagers: those of member 0 in order, then those of member 1, and so on."""

    def __init__(
        self, members: Sequence[Member], readings: Sequence[Reading], clock: Clock
    ) -> None:
        owners = [m for m, member in enumerate(members) for _ in member.averagers]
        self._alive = list(enumerate(owners))
        pairs = [(member.recipe, a) for member in members for a in member.averagers]
        self._marks = [_marks(*p, r, clock) for p, r in zip(pairs, readings, strict=True)]
        self._read = [r.read for r in readings]

    @property
    def seats(self) -> list[int]:
        """Those still alive, by their original numbers."""
        return [seat for seat, _ in self._alive]

    @property
    def owners(self) -> list[int]:
        """The member that each seat still alive follows, by its original number."""
        return [member for _, member in self._alive]

    def rows(self, task: int) -> list[int]:
        """Which of the bank's rows is the average of each seat alive after so many tasks."""
        read, last = [self._read[seat] for seat in self.seats], max(task, 1) - 1
        firsts = accumulate((max(of) + 1 for of in read), initial=0)
        return [first + of[last] for first, of in zip(firsts, read, strict=False)]

    def marks(self, task: int) -> list[Hashable]:
        """Of each seat alive; averages of equal marks are equal after so many tasks."""
        return [(owner, self._marks[seat][task]) for seat, owner in self._alive]

    def keep(self, seats: set[int]) -> list[list[int]]:
        """Of each member so far, which of its rows of the bank are kept.

        Raises:
            ValueError: if one of ``seats`` is not alive.
        """
        if gone := sorted(seats - set(self.seats)):
            raise ValueError(f"seats can only be kept while alive, got {gone=}")
        groups = [list(group) for _, group in groupby(self._alive, key=itemgetter(1))]
        holders = [[s for s, _ in g for _ in range(max(self._read[s]) + 1)] for g in groups]
        self._alive = [seat for seat in self._alive if seat[0] in seats]
        return [[r for r, s in enumerate(of) if s in seats] for of in holders]


def _marks(recipe: Recipe, averager: Averager, one: Reading, clock: Clock) -> list[bytes]:
    """What an average is made of, before the first task and after each.

    Of one student, averages of equal marks are equal; all before the last copy is forgotten.
    """
    apart = not averager.linear or deploys_branch(recipe, averager)
    said = repr(averager).encode() if apart else b""
    marks = [said]
    for end, row in zip(clock.task_ends, one.read, strict=True):
        table = one.tables[row][:end]
        made = hashlib.sha256(said + table[last_copy(table) :].tobytes())
        marks.append(made.digest())
    return marks
