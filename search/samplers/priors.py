"""Priors: what a study's file says of its knobs beforehand, believed for as long as it does well."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from search.samplers.base import generator
from spaces import fronts
from spaces.domains import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.samplers.base import Scope, Told
    from spaces.fronts import Costs
    from spaces.objectives import Objectives
    from spaces.space import Domain

LEAST = 2
"""The least gap, of priors that do well: every other proposal follows them."""

BEATEN = 2 / 3
"""Of the proposals that did not follow, the share that one that followed has to beat to have done well."""

FOLLOWERS, OTHERS = 32, 256
"""How many of the latest that followed, and of the latest that did not, are compared."""

SPREAD = 0.1
"""The standard deviation of what is drawn about a prior, of the way from one end of its range to the
other."""


class Priors:
    """Which proposals follow the priors, and their values there; the same whatever the sampler.

    The first proposal follows them, and the next one 2**(followed - 2 well) proposals after the last,
    at least ``LEAST``: each that follows doubles the gap, and each that is found to have done well
    divides it by four (of the latest ``FOLLOWERS``). So of n proposals about log2(n) follow priors that do badly (the numbers 0,
    2, 6, 14, 30, ...), and half of them priors that do well. Proposals are compared with those of
    their sort: students with students, further averages with further averages.

    That a belief counts for as long as the best so far bear it out is from Mallik et al.,
    "PriorBand", NeurIPS 2023 (arXiv:2306.12370). That it decides how many proposals follow it, and not how
    each is weighed, lets it go with every sampler and bounds what a wrong one costs. The rule and
    its numbers are ours; what priors are worth with them: ``benchmarks/priors.py``.
    """

    def __init__(self, scope: Scope) -> None:
        self._seed = scope.seed
        self._domains = {name: d for name, d in scope.knobs.items() if d.prior is not None}
        self._trials = {sort: Trial(scope.objectives) for sort in ("whole", "part")}
        self._sort: dict[int, str] = {}

    def drawn(self, candidate: int, sort: str, place: int) -> dict[str, Any]:
        """About their priors, if this proposal follows them: number ``place`` of its sort."""
        if not self._domains or place < self._trials[sort].next:
            return {}
        rng = generator(self._seed, candidate, stream=1)
        return {n: _believed(d, rng) for n, d in self._domains.items()}

    def asked(self, candidate: int, sort: str, place: int, *, followed: bool) -> None:
        """Takes in a proposal, and whether a knob in play follows its prior."""
        if self._domains and sort in self._trials:  # what was given whole tells nothing
            self._sort[candidate] = sort
            if followed:
                self._trials[sort].follow(candidate, place)

    def tell(self, told: Told) -> None:
        """Takes in how a candidate ended, or what it is worth by now."""
        if told.candidate in self._sort:
            self._trials[self._sort[told.candidate]].tell(told)


class Trial:
    """How proposals of one sort that followed the priors did against those that did not.

    The latest of each, so that an ask costs the same however many there were.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._followed: set[int] = set()
        self._latest: deque[int] = deque(maxlen=FOLLOWERS)
        self._ended: dict[int, Told] = {}
        self._others: dict[int, Told] = {}
        self._last = 0
        self._next: int | None = 0

    @property
    def next(self) -> int:
        """The place of the next proposal that follows the priors."""
        if self._next is None:
            doublings = len(self._latest) - 2 * self._done_well()
            self._next = self._last + max(LEAST, 2 ** max(0, doublings))
        return self._next

    def follow(self, candidate: int, place: int) -> None:
        """Takes in one that follows; later ones have later places."""
        self._followed.add(candidate)
        self._latest.append(candidate)
        self._last, self._next = place, None

    def tell(self, told: Told) -> None:
        if self._latest:
            self._next = None
        if told.candidate in self._followed:
            self._ended[told.candidate] = told
            return
        self._others[told.candidate] = told
        if len(self._others) > 2 * OTHERS:
            self._others = {number: self._others[number] for number in self._compared()}

    def _compared(self) -> list[int]:
        """The latest of those that did not follow."""
        return sorted(self._others)[-OTHERS:]

    def _done_well(self) -> int:
        """How many of the latest that followed beat most of the latest that did not."""
        self._ended = {
            number: self._ended[number] for number in self._latest if number in self._ended
        }
        others = [self._others[number] for number in self._compared()]
        stands = standing([*others, *self._ended.values()], self._objectives)
        against = np.sort(stands[: len(others)])
        beaten = len(others) - np.searchsorted(against, stands[len(others) :], side="right")
        return int((beaten > BEATEN * len(others)).sum())


def standing(ended: Sequence[Told], objectives: Objectives) -> Costs:
    """The better, the less: by rank, then by how much limits are broken, then pruned, then failed. [n]."""
    out = np.full(len(ended), len(ended) + 1.0)
    out[[told.state == "pruned" for told in ended]] = len(ended)
    whole = [row for row, told in enumerate(ended) if told.values is not None]
    kept = [row for row in whole if ended[row].excess == 0]
    if kept:
        values = np.array([ended[row].values for row in kept], dtype=np.float64)
        out[kept] = fronts.ranks(objectives.costs(values))
    broke = sorted(set(whole) - set(kept), key=lambda row: ended[row].excess)
    out[broke] = len(kept) + np.arange(len(broke))
    return out


def _believed(domain: Domain, rng: np.random.Generator) -> Any:
    """A value about the prior of ``domain``; what leaves its range is turned back."""
    prior: Any = domain.prior
    if isinstance(domain, Choice):
        shares = np.cumsum(prior)
        return int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))
    way = abs(domain.way(prior) + SPREAD * rng.standard_normal()) % 2
    return domain.at(min(way, 2 - way))
