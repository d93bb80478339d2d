"""The clock: tasks follow each other without a gap."""

from __future__ import annotations

import pytest

from spaces.clock import Clock

CLOCK = Clock(steps=10, task_starts=(0, 4, 5))


def test_tasks():
    assert [task.steps for task in CLOCK.tasks()] == [4, 1, 5]
    assert CLOCK.task_ends == (4, 5, 10) and CLOCK.task_count == 3
    assert all(task.task_starts == (0,) for task in CLOCK.tasks())


@pytest.mark.parametrize("starts", [(1,), (0, 0), (0, 5, 4), (0, 10), (-1, 3)])
def test_refuses(starts):
    with pytest.raises(ValueError, match="must rise from 0"):
        Clock(steps=10, task_starts=starts)


def test_the_clock_of_what_is_left_begins_at_0():
    clock = Clock(steps=10, task_starts=(0, 4, 7))
    assert clock.after(0) == clock
    assert clock.after(3) == Clock(steps=7, task_starts=(0, 1, 4))
    assert clock.after(4) == Clock(steps=6, task_starts=(0, 3))
    assert clock.after(9) == Clock(steps=1)
