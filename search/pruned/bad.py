"""Whoever was pruned is bad."""

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
class Bad(Pruned):
    """Good are complete candidates alone; the pruned count among those of which a share is good.

    Their rung has told that they are not among the best, and no more is asked of it. Optuna's TPE
    puts them behind all that are complete, too; with several objectives it does not prune.
    """

    kind: Literal["bad"] = "bad"
    alone: ClassVar[bool] = True

    def tiers(self, ended: Sequence[Told], objectives: Objectives) -> list[Tier]:
        return [complete(ended, objectives)]
