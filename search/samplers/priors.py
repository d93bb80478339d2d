"""Priors: what a study's file says of its knobs beforehand, believed less and less as it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.samplers.base import generator
from spaces.domains import Range

if TYPE_CHECKING:
    from search.samplers.base import Scope

GAP = 2
"""Of the proposals of a sort the numbers 0, 2, 6, 14, 30, ... follow the priors: each gap is twice the last."""

SPREAD = 0.1
"""The standard deviation of what is drawn about a prior, of the way from one end of its range to the
other."""


class Priors:
    """The values of knobs in those proposals that follow their priors; the same whatever the sampler.

    A belief that decays like 1 / n is that of Hvarfner et al., "piBO: augmenting acquisition
    functions with user beliefs", ICLR 2022, eq. 6; that it decides how many proposals follow it,
    and not how each is weighed, lets it go with every sampler and bounds what a wrong one costs: of
    the first 40 proposals 5 follow it, of the first 1,000 9. The numbers are ours; what
    priors are worth with them: ``benchmarks/priors.py``.
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
        if not self._ranges or not _follows(place):
            return {}
        rng = generator(self._seed, candidate, stream=1)
        return {n: self._near(d, rng.standard_normal()) for n, d in self._ranges.items()}

    @staticmethod
    def _near(domain: Range, away: float) -> Any:
        """``away`` from the prior, in standard deviations; what leaves the range is turned back."""
        prior = domain.low if domain.prior is None else domain.prior
        way = abs(domain.way(prior) + SPREAD * away) % 2
        return domain.at(min(way, 2 - way))


def _follows(place: int) -> bool:
    """Whether place / GAP + 1 is a power of two."""
    gaps, rest = divmod(place, GAP)
    return rest == 0 and (gaps + 1) & gaps == 0
