"""What a branch is: a copy of a member that is trained at other rates for the last steps of a task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spaces.families import Family
from spaces.schedules import Schedule
from trainables.averagers.student import Student

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table
    from trainables.averagers import Averager
    from trainables.recipes import Recipe


class Branch(Family):
    """Rates r[t]: where r falls below 1 in a task, a copy of the member leaves its trunk.

    The copy has all that the trunk has: weights, the optimizer's memory, teachers, importances, a
    memory's logits. It is trained on the same batches as the trunk, its learning rate times r[t], to the
    end of the task. There its weights are deployed: they are what ``{kind: student}`` means, and what is
    measured as the student. Then it is thrown away. The trunk knows nothing of it and goes
    on: the next task starts from the trunk, and so do all other averages, which are the trunk's;
    ``{kind: ema, momentum: 0}`` is the trunk itself. Between the ends of tasks there is only the trunk.

    It costs the steps for which it lasts once more, and no others.

    Laws (``tests/trainables/test_branches.py``): r = 1 outside of branches, and at least 0; the trunk
    is to the last bit as without branches; where r is 1 to the end, the branch is the trunk.
    """

    __slots__ = ()

    def rates(self, clock: Clock) -> Table:
        """What the learning rate is multiplied by at each step. Float64 [clock.steps]."""
        raise NotImplementedError

    def of(self, recipe: Recipe) -> Recipe:
        """How the branch of a member of ``recipe`` is trained, told for every step of the stream."""
        slowed = _Slowed(schedule=recipe.optimizer.lr, branch=self)
        # Not validated anew, for it is no kind that a file could ask for.
        return replace(recipe, optimizer=replace(recipe.optimizer, lr=slowed))  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slowed(Schedule):
    """A learning rate on a branch."""

    schedule: Schedule
    branch: Branch

    def table(self, clock: Clock) -> Table:
        return self.schedule.table(clock) * self.branch.rates(clock)


def deploys_branch(recipe: Recipe, averager: Averager) -> bool:
    """Whether what ``averager`` deploys is the branch of a member of ``recipe``."""
    return recipe.branch is not None and isinstance(averager, Student)
