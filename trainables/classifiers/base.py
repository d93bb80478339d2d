"""What a classifier is: how weights that are deployed answer, their students being at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from spaces.families import Family

if TYPE_CHECKING:
    from trainables.learners import Learner
    from trainables.scenarios.base import Split


class Classifier(Family):
    """Looks at no loss and changes no training: only what is measured of averages and students.

    Laws (``tests/contracts/test_classifiers.py``): a row answers to the last bit as it would alone; what
    the mask leaves out never wins.
    """

    __slots__ = ()
    kind: str
    trained: ClassVar[bool] = True
    """Whether it answers with weights that training has changed."""

    paired: ClassVar[bool] = False
    """Whether an average answers together with its student; ``judged`` then says what of them."""

    def judged(self, learner: Learner, rows: Tensor, students: Tensor) -> Tensor:
        """What is judged of averages ``rows`` and of their own students, [R, P] both. [R, Q].

        Of a student itself the row is the student.
        """
        raise NotImplementedError

    def answers(
        self, learner: Learner, seen: Sequence[Split], rows: Tensor, x: Tensor, mask: Tensor | None
    ) -> Tensor:
        """Logits of each row [R, Q], once the training samples ``seen`` were seen. [R, B, C]."""
        raise NotImplementedError
