"""Worth by what the front would lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from search.worths.base import Worth
from spaces import fronts

if TYPE_CHECKING:
    from spaces.fronts import Costs


@Worth.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution(Worth):
    """The exclusive share of the hypervolume, in places, up to the reference's.

    In values it is what SMS-EMOA selects by (Beume et al., EJOR 2007). A result that lies beyond
    the reference is worth nothing.
    """

    kind: Literal["contribution"] = "contribution"

    def merits(self, places: Costs, reference: Costs) -> Costs:
        return fronts.contributions(places, reference)
