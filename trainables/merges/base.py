"""What a merge is: weights made of a task's beginning and end, and of what came before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from spaces.families import Family
from trainables.stacks import Layout


class Boundary(NamedTuple):
    """What is known when task ``task`` (from 0) was finished; stacks of all M members.

    ``student`` [M, P] is the task's end, ``start`` [M, P] what the task began with, ``initial``
    [M, P] what the stream began with, ``ends`` [M, task + 1, P] the ends of all tasks so far as they
    were trained, ``student`` last. ``fisher`` gives the diagonal of the empirical Fisher
    information [M, P] of weights [M, P] on this task's training samples, ``fishers``
    [M, task + 1, P] those of ``ends``, each on its own task (None unless ``Merge.fishers``).
    ``now`` has each schedule's value at the task's last step, [M, 1]. ``old`` and ``new`` are the
    classes of earlier tasks and of this one, bool [C].
    """

    task: int
    student: Tensor
    start: Tensor
    initial: Tensor
    ends: Tensor
    fisher: Callable[[Tensor], Tensor]
    fishers: Tensor | None
    now: Mapping[str, Tensor]
    layout: Layout
    old: Tensor
    new: Tensor

    @property
    def vectors(self) -> list[Tensor]:
        """How far each end so far is from what the stream began with, a task vector each. [M, P]."""
        return [end - self.initial for end in self.ends.unbind(1)]


def total(stacks: Iterable[Tensor]) -> Tensor:
    """Their sum, one added after the other, so that each row rounds as it would alone."""
    return reduce(torch.add, stacks)


class Merge(Family):
    """A pure function of stacks, elementwise over members: no member's numbers reach another's.

    As ``recipe.merge`` it closes the loop: its result is the student that the next task begins
    with, and that averages take in as the last of the task. As ``{kind: merged, by: ...}`` among
    the averagers it is only followed: the student goes on unmerged.

    Laws (``tests/contracts/test_merges.py``): finite from finite; each row as it would be alone; a
    student that has not moved since the stream's start stays there.
    """

    __slots__ = ()
    ends: ClassVar[bool] = False
    """Whether it looks at the ends of earlier tasks, which have to be kept for it."""
    fishers: ClassVar[bool] = False
    """Whether it looks at the Fisher information at those ends."""

    def merged(self, at: Boundary) -> Tensor:
        """[M, P]."""
        raise NotImplementedError
