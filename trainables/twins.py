"""Twins: a cohort's members once more, trained beside it with another seed, to be compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trainables.cohort import Cohort
from trainables.members import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from trainables.scenarios.base import Stream

FAR = 2**62
"""What tells a twin's ``recipe.seed``: a seed that nobody writes, and the twin's twin is the first."""


def twin_of(member: Member) -> Member:
    """The same recipe and averagers with another ``recipe.seed``, the member's with one bit turned.

    So it has other first weights, batches, memories and noise. Its data are the same, since these
    are the scenario's, and so are the draws that an averager makes of a seed of its own.
    """
    return Member(replace(member.recipe, seed=member.recipe.seed ^ FAR), member.averagers)


def twins(
    members: Sequence[Member],
    stream: Stream,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    every: int | None = None,
) -> Cohort:
    """The cohort of the twins of ``members``, seat for seat; arguments are those of ``Cohort``.

    A cohort of their own, since members of one share their batches. It costs what the first costs.
    """
    return Cohort(list(map(twin_of, members)), stream, seed=seed, device=device, every=every)
