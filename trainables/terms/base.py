"""What a term is: something that is added to a strategy's loss, with a weight of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from spaces.families import Family
from trainables.lessons import Lesson, refuse_idle_teachers


class Term(Family):
    """A scalar added to the loss of ONE member on one batch, its weight included; pure.

    The rules of ``Strategy.loss`` hold. ``needs`` names what every instance wants to see in a batch
    besides x, y and mask (fields of ``Batch``), ``looks_at`` what this one does. A term that needs ``replay`` looks at draw number ``draw``
    of the memory, so that two terms may look at independent draws.

    Laws (``tests/contracts/test_terms.py``): finite, the same again, no gradient into companions;
    as its reference in ``tests/oracles``.
    """

    __slots__ = ()
    needs: ClassVar[frozenset[str]] = frozenset()
    draw: ClassVar[int] = 0

    def __post_init__(self) -> None:
        refuse_idle_teachers(self)

    def looks_at(self) -> frozenset[str]:
        return self.needs

    def value(self, lesson: Lesson) -> Tensor:
        raise NotImplementedError


def added(loss: Tensor, terms: Sequence[Term], lesson: Lesson) -> Tensor:
    """``loss`` plus every term, each shown its own part of the lesson."""
    for i, term in enumerate(terms):
        loss = loss + term.value(lesson.within(f"terms.{i}"))
    return loss
