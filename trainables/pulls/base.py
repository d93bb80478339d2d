"""What a pull is: a table of how far the student is drawn towards other weights after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from spaces.families import Family
from trainables.averagers import Averager
from trainables.lessons import refuse_idle_teachers

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table

Kept: TypeAlias = Literal["keep", "reset"]
"""What becomes of the optimizer's memory."""


class Pull(Family):
    """student <- student + b[t] (target - student) after step t, for a table b fixed before the run.

    The mirror image of an averager. ``toward`` says what the target is: the weights that the task
    began with (``previous``), those of the stream (``initial``) or any other average, which has taken in
    this step's student before the pull. ``optimizer`` is whether the optimizer's memory starts
    anew where the student was pulled: papers rarely say, and keep by their code.

    Laws (``tests/contracts/test_pulls.py``): within [0, 1]; b = 0 leaves the student alone to the
    last bit, b = 1 makes it the target.

    Raises:
        ValueError: if the target is an average at the ends of tasks only.
    """

    __slots__ = ()
    toward: Averager
    optimizer: Kept

    def __post_init__(self) -> None:
        refuse_idle_teachers(self)

    def table(self, clock: Clock) -> Table:
        """How far the student is drawn after each step. Float64 [clock.steps]."""
        raise NotImplementedError

    def opening(self, clock: Clock) -> Table:
        """How far the student is drawn before each task's first step. Float64 [task_count].

        0 for the first task. What was measured and copied of the task before does not know of it.
        """
        return np.zeros(clock.task_count)
