"""What an importance is: how much each weight mattered to the tasks so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple, TypeAlias

from torch import Tensor

from spaces.families import Family

Estimate: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""A scalar of ONE sample's logits [C] and label [], whose slopes tell of the weights."""


class Passage(NamedTuple):
    """One step of all members [M, P]: ``before``, the loss's ``gradient`` there, and ``after``."""

    before: Tensor
    gradient: Tensor
    after: Tensor


class Finish(NamedTuple):
    """What an importance may look at when a task is finished; stacks [M, P].

    ``weights`` are the student's, merges done, and ``start`` what the task began with.
    ``squares(of)`` and ``sizes(of)`` are the means, over some of the task's training samples, of
    the square and of the absolute value of the slope of an ``Estimate`` by each weight, [M, P].
    ``now`` has each schedule's value at the task's last step, [M, 1].
    """

    weights: Tensor
    start: Tensor
    squares: Callable[[Estimate], Tensor]
    sizes: Callable[[Estimate], Tensor]
    now: Mapping[str, Tensor]


class Importance(Family):
    """A companion [M, P] that a term weighs a student's distance by; zeros in the first task.

    ``sums`` names the stacks [M, P] that it gathers while a task is trained; they start as zeros
    and are cleared when it is finished. ``samples`` are how many of the task's training samples
    the means are over, drawn anew for each task; all there are, if fewer.

    Laws (``tests/contracts/test_importances.py``): at least 0, finite from finite, each row as it
    would be alone.
    """

    __slots__ = ()
    sums: ClassVar[tuple[str, ...]] = ()
    samples: int

    def gather_(self, sums: Mapping[str, Tensor], passage: Passage) -> None:
        """Adds a step to ``sums``; only of importances that have any."""
        raise NotImplementedError

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        """The importance from now on. [M, P]."""
        raise NotImplementedError
