"""Priors: what a study's file says of its knobs beforehand, believed less and less as it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.samplers.base import generator
from spaces.domains import Range

if TYPE_CHECKING:
    from search.samplers.base import Scope

FIRST = 0.5
HALF = 10
"""Of the first proposals a share ``FIRST`` follows the priors; of number n ``FIRST * HALF / (HALF + n)``."""

SPREAD = 0.1
"""The standard deviation of what is drawn about a prior, of the way from one end of its range to the
other."""


class Priors:
    """The values of knobs in those proposals that follow their priors; the same whatever the sampler.

    A belief that decays like 1 / n is that of Hvarfner et al., "piBO: augmenting acquisition
    functions with user beliefs", ICLR 2022, eq. 6; that it decides how many proposals follow it,
    and not how each is weighed, lets it go with every sampler and bounds what a wrong one costs: of
    the first 40 proposals 8 follow it, of the first 1,000 23. The numbers are ours.
    """

    def __init__(self, scope: Scope) -> None:
        self._seed = scope.seed
        self._ranges = {
            name: domain
            for name, domain in scope.knobs.items()
            if isinstance(domain, Range) and domain.prior is not None
        }

    def drawn(self, candidate: int, place: int) -> dict[str, Any]:
        """About their priors, if this proposal follows them: number ``place`` of its sort."""
        if not self._ranges:
            return {}
        rng = generator(self._seed, candidate, stream=1)
        if rng.random() >= FIRST * HALF / (HALF + place):
            return {}
        return {n: self._near(d, rng.standard_normal()) for n, d in self._ranges.items()}

    @staticmethod
    def _near(domain: Range, away: float) -> Any:
        """``away`` from the prior, in standard deviations; what leaves the range is turned back."""
        prior = domain.low if domain.prior is None else domain.prior
        way = abs(domain.way(prior) + SPREAD * away) % 2
        return domain.at(min(way, 2 - way))
