"""What an importance is: how much each weight mattered to the tasks so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple, Protocol, TypeAlias

from torch import Tensor

from spaces.families import Family

Estimate: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""A scalar of ONE sample's logits [C] and label [], whose slopes tell of the weights."""


class Slopes(Protocol):
    """A mean over ``samples`` of the task's training samples (all, if fewer), drawn anew for each task.

    Of what an ``Estimate``'s slopes by each weight are, one sample at a time. [M, P]. Each
    sample has its own label, or ``label`` where one is given.
    """

    def __call__(self, of: Estimate, samples: int, label: int | None = None) -> Tensor: ...


class Passage(NamedTuple):
    """One step of all members [M, P]: ``before``, the loss's ``gradient`` there, and ``after``.

    The gradient is that of the loss without its quadratic penalties.
    """

    before: Tensor
    gradient: Tensor
    after: Tensor


class Finish(NamedTuple):
    """What an importance may look at when a task is finished; stacks [M, P].

    ``weights`` are the student's, merges done, and ``start`` what the task began with.
    ``squares`` are means of the squares of slopes, ``sizes`` of their absolute values. There are
    ``classes`` classes. ``now`` has each schedule's value at the task's last step, [M, 1].
    """

    weights: Tensor
    start: Tensor
    squares: Slopes
    sizes: Slopes
    classes: int
    now: Mapping[str, Tensor]


class Importance(Family):
    """A companion [M, P] that a term weighs a student's distance by; zeros in the first task.

    ``sums`` names the stacks [M, P] that it gathers while a task is trained; they start as zeros
    and are cleared when it is finished.

    Laws (``tests/contracts/test_importances.py``): at least 0, finite from finite, each row as it
    would be alone.
    """

    __slots__ = ()
    sums: ClassVar[tuple[str, ...]] = ()

    def gather_(self, sums: Mapping[str, Tensor], passage: Passage) -> None:
        """Adds a step to ``sums``; only of importances that have any."""
        raise NotImplementedError

    def renewed(self, old: Tensor, sums: Mapping[str, Tensor], at: Finish) -> Tensor:
        """The importance from now on. [M, P]."""
        raise NotImplementedError
