"""Worth by how soon a front is covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from search.worths.base import Worth

if TYPE_CHECKING:
    from spaces.fronts import Costs


@Worth.register
@dataclass(frozen=True, kw_only=True, slots=True)
class EpsilonNet(Worth):
    """Farthest first: each time whoever is farthest from all that came before.

    Salinas et al., "A multi-objective perspective on jointly tuning hardware and hyperparameters"
    (arXiv 2106.05680, section 3). Ours are: the distance is Euclidean in places, whole numbers, so that no unit decides; it begins
    with the best on each objective, where they begin with one of them; those equally far come in
    together. The reference is of no account. A merit is minus the number of those who came before.
    """

    kind: Literal["epsilon_net"] = "epsilon_net"

    def merits(self, places: Costs, reference: Costs) -> Costs:
        del reference
        merits = np.empty(len(places))
        newest = (places == places.min(axis=0)).any(axis=1)
        waiting, away, before = ~newest, np.full(len(places), np.inf), 0
        while newest.any():
            merits[newest] = -before
            before += int(newest.sum())
            for net in places[newest]:
                away = np.minimum(away, ((places - net) ** 2).sum(axis=1))
            farthest = away[waiting].max(initial=-np.inf)
            newest = waiting & (away == farthest)
            waiting = waiting & ~newest
        return merits
