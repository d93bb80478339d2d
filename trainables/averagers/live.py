"""What a live average is: one that is worked out step by step from what its student does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from trainables.averagers.base import Averager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.importances.base import Passage


class Live(Averager):
    """A teacher or target whose next value no table fixed before the run tells.

    The cohort keeps what it remembers beside the average, ``kept``: stacks of the members [M, ...],
    compacted, saved and counted with it. Its schedules arrive in ``now``, this step's values [M, 1].
    Members share a cohort if they have the same kind of it, at the same place, with the same
    settings but for schedules. It is no table, so nothing can be made of its own.

    The rules of a cohort hold (``tests/contracts/test_cohorts.py``): a row rounds as it would alone,
    so sums over a row are ``row_sums`` and functions of single numbers are sums, products, quotients and
    roots; and nothing waits for the device.
    """

    __slots__ = ()
    steers: ClassVar[bool] = False
    live: ClassVar[bool] = True
    followed: ClassVar[bool] = False
    extra: ClassVar[int] = 0
    """Rows of weights among what is kept."""

    def begun(self, first: Tensor) -> dict[str, Tensor]:
        """What is kept, before the first step; ``first`` [M, P] are the students as drawn."""
        raise NotImplementedError

    def absorb_(
        self,
        average: Tensor,
        kept: Mapping[str, Tensor],
        passage: Passage,
        now: Mapping[str, Tensor],
    ) -> None:
        """Changes ``average`` [M, P] and what is kept in place, after a step of the students."""
        raise NotImplementedError

    def settle_(self, average: Tensor, kept: Mapping[str, Tensor], student: Tensor) -> None:
        """The same once a task is finished, pulls and merges done."""


def row_sums(rows: Tensor) -> Tensor:
    """The sum of each row of [M, P], the same bits in any company: halves added to halves. [M, 1]."""
    while rows.shape[1] > 1:
        half = rows.shape[1] // 2
        folded = rows[:, :half] + rows[:, half : 2 * half]
        folded[:, :1] += rows[:, 2 * half :].sum(1, keepdim=True)  # of one number or none
        rows = folded
    return rows


def between(low: Tensor, high: Tensor, share: Tensor) -> Tensor:
    """What of the student is taken in at a horizon ``share`` of the way between two momenta's.

    The horizon of a momentum is 1 / (1 - momentum), in steps. [M, 1].
    """
    fast, slow = 1 - low, 1 - high
    below = (1 - share) * slow + share * fast
    return torch.where(below > 0, fast * slow / below, torch.maximum(fast, slow))
