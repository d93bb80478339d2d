"""Seating: the averagers of a cohort by number, and where the average of each of them is kept.

That is in rows of the bank, or with a teacher: an average that a member learns from is kept up
step by step already, and is not followed a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

import numpy as np

from spaces.clock import Clock
from spaces.schedules.base import Table
from trainables.averagers import Averager
from trainables.branches.base import deploys_branch
from trainables.members import Member
from trainables.readings import Reading, last_copy, reading
from trainables.recipes import Recipe
from trainables.tables import specs_in


def seated(members: Sequence[Member], clock: Clock) -> tuple[Seating, list[list[Table]]]:
    """The seating of ``members``, and of each the tables of the rows of the bank that it needs."""
    readings = [[reading(a, clock) for a in member.averagers] for member in members]
    seating = Seating(members, [one for of in readings for one in of], clock)
    held = iter(seating.held)
    followed = [[one for one in of if next(held) is None] for of in readings]
    return seating, [[table for one in of for table in one.tables] for of in followed]


class Seating:
    """Seats number the averagers: those of member 0 in order, then those of member 1, and so on."""

    def __init__(
        self, members: Sequence[Member], readings: Sequence[Reading], clock: Clock
    ) -> None:
        owners = [m for m, member in enumerate(members) for _ in member.averagers]
        self._alive = list(enumerate(owners))
        pairs = [(member.recipe, a) for member in members for a in member.averagers]
        kept = [teachers(member.recipe, clock) for member in members]
        self.held = [
            holder(*p, r, kept[owner]) for owner, p, r in zip(owners, pairs, readings, strict=True)
        ]
        """Of each seat, alive or not, the teacher that its average is, by name; None: it is followed."""
        self._marks = [
            _marks(*p, r, clock, apart=h is not None)
            for p, r, h in zip(pairs, readings, self.held, strict=True)
        ]
        nowhere = [-1] * clock.task_count
        self._read = [
            r.read if h is None else nowhere for r, h in zip(readings, self.held, strict=True)
        ]

    @property
    def seats(self) -> list[int]:
        """Those still alive, by their original numbers."""
        return [seat for seat, _ in self._alive]

    @property
    def owners(self) -> list[int]:
        """The member that each seat still alive follows, by its original number."""
        return [member for _, member in self._alive]

    @property
    def holders(self) -> list[str]:
        """The teachers that averages of seats alive are, by name."""
        names = (self.held[seat] for seat in self.seats)
        return list(dict.fromkeys(name for name in names if name is not None))

    def rows(self, task: int) -> list[int]:
        """Which row is the average of each seat alive after so many tasks.

        Of the bank's rows, and after them those of the ``holders``, a row for each member alive.
        """
        read, last = [self._read[seat] for seat in self.seats], max(task, 1) - 1
        *firsts, count = accumulate((max(of) + 1 for of in read), initial=0)
        members, holders = list(dict.fromkeys(self.owners)), self.holders
        return [
            first + of[last]
            if (name := self.held[seat]) is None
            else count + holders.index(name) * len(members) + members.index(owner)
            for (seat, owner), first, of in zip(self._alive, firsts, read, strict=True)
        ]

    def marks(self, task: int) -> list[Hashable]:
        """Of each seat alive; averages of equal marks are equal after so many tasks."""
        return [(owner, self._marks[seat][task]) for seat, owner in self._alive]

    def keep(self, seats: set[int]) -> dict[int, list[int]]:
        """Of each member that stays, by its place so far, which of its rows of the bank are kept.

        Raises:
            ValueError: if one of ``seats`` is not alive.
        """
        if gone := sorted(seats - set(self.seats)):
            raise ValueError(f"seats can only be kept while alive, got {gone=}")
        groups = [[s for s, _ in group] for _, group in groupby(self._alive, key=itemgetter(1))]
        self._alive = [seat for seat in self._alive if seat[0] in seats]
        holders = [[s for s in of for _ in range(max(self._read[s]) + 1)] for of in groups]
        return {
            place: [row for row, seat in enumerate(holders[place]) if seat in seats]
            for place, of in enumerate(groups)
            if seats.intersection(of)
        }


def teachers(recipe: Recipe, clock: Clock) -> dict[str, Table]:
    """The averages that a member learns from which are those of a table, by name."""
    found = specs_in(recipe, Averager).items()
    alone = {n: t for n, t in found if not t.live and t.drawn is None}
    return {n: t.teaching(clock) for n, t in alone.items() if not t.settling(clock).any()}


def holder(
    recipe: Recipe, averager: Averager, one: Reading, kept: Mapping[str, Table]
) -> str | None:
    """The name of that teacher of ``recipe``, all of them ``kept``, which is the average that ``averager`` makes, if any.

    A teacher is shown the student before pulls move it, and before what a task's end makes of it.
    """
    moved = recipe.pulls or recipe.merge is not None or recipe.alignment is not None
    if moved or not averager.linear or deploys_branch(recipe, averager) or len(one.tables) > 1:
        return None
    same = (n for n, table in kept.items() if np.array_equal(table, one.tables[0]))
    return next(same, None)


def _marks(
    recipe: Recipe, averager: Averager, one: Reading, clock: Clock, *, apart: bool
) -> list[bytes]:
    """What an average is made of, before the first task and after each.

    Of one student, averages of equal marks are equal; all before the last copy is forgotten. Those
    that are ``apart`` come about in another way, and may round otherwise.
    """
    named = not averager.linear or deploys_branch(recipe, averager)
    said = repr(averager).encode() if named else b"teacher" if apart else b""
    marks = [said]
    for end, row in zip(clock.task_ends, one.read, strict=True):
        table = one.tables[row][:end]
        made = hashlib.sha256(said + table[last_copy(table) :].tobytes())
        marks.append(made.digest())
    return marks
