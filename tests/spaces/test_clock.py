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
