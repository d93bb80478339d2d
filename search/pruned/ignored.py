"""Whoever was pruned is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from search.pruned.base import Pruned, Tier, complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.samplers.base import Told
    from spaces.objectives import Objectives


@Pruned.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Ignored(Pruned):
    """A candidate that is pruned is neither good nor bad: as if it had never been asked for.

    It also no longer counts to the ``startup``, nor repels others from where it was.
    """

    kind: Literal["ignored"] = "ignored"
    heeds: ClassVar[bool] = False
    alone: ClassVar[bool] = True

    def tiers(self, ended: Sequence[Told], objectives: Objectives) -> list[Tier]:
        return [complete(ended, objectives)]
