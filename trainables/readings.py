"""Readings: the rows of a bank that an averager needs, and which of them is read after each task.

Most averagers are one table, read again and again. A window that is open at the end of a task, and
will have moved on by the end of the next, needs a row for each of the two while both are open. As
every window begins by copying the student, a row that has been read serves again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trainables.averagers import Averager

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


class Reading(NamedTuple):
    """``tables`` float64 [steps], a row each; after task k the row ``read[k]`` is the average."""

    tables: list[Table]
    read: list[int]


def reading(averager: Averager, clock: Clock) -> Reading:
    """As few rows as first-come, first-served finds."""
    if type(averager).weights_at is Averager.weights_at:
        return Reading([averager.weights(clock)], [0] * clock.task_count)
    tables: list[Table] = []
    done: list[int] = []  # how many steps of each row are settled
    read = []
    for task, end in enumerate(clock.task_ends):
        wanted = averager.weights_at(clock, task)
        at = next((r for r, t in enumerate(tables) if _goes_on(t, done[r], wanted)), len(tables))
        if at == len(tables):
            tables.append(np.zeros(clock.steps))
            done.append(0)
        tables[at][done[at] : end] = wanted[done[at] :]
        done[at] = end
        read.append(at)
    return Reading(tables, read)


def last_copy(table: Table) -> int:
    """The step before which an average by ``table`` has forgotten everything."""
    return int(np.flatnonzero(table == 1)[-1])


def _goes_on(table: Table, done: int, wanted: Table) -> bool:
    """Whether what ``table`` holds after ``done`` steps can become what ``wanted`` leads to."""
    return last_copy(wanted) >= done or bool((table[:done] == wanted[:done]).all())
