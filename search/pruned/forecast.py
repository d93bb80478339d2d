"""Of whoever was pruned it is forecast what it would have come to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from search.pruned.base import Pruned, Tier, tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.samplers.base import Told
    from spaces.fronts import Costs
    from spaces.objectives import Objectives


@Pruned.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast(Pruned):
    """A pruned candidate is worth what its objectives at its last rung make expected at the end.

    y = a + B x by least squares over the complete candidates, where x [objectives] are a
    candidate's objectives at that rung and y [objectives] those in the end. A rung that fewer than
    ``enough`` complete candidates passed forecasts nothing, and who was pruned there is bad. Only
    the sampler learns of forecasts: they are on no front. A regression draws what it tells to the
    mean, so a forecast is rarely among the best; that those who went on were chosen at that very
    rung is neglected. The model and ``enough`` are ours; Domhan et al. ("Speeding up automatic
    hyperparameter optimization of deep neural networks by extrapolation of learning curves", IJCAI
    2015) extrapolate each curve by itself, for which streams of a few tasks are too short.
    """

    enough: Annotated[int, Field(ge=1)] = 10
    kind: Literal["forecast"] = "forecast"

    def tiers(self, ended: Sequence[Told], objectives: Objectives) -> list[Tier]:
        pruned: defaultdict[int, list[Told]] = defaultdict(list)
        for told in ended:
            if told.values is None and told.at_rungs:
                pruned[max(told.at_rungs)].append(told)
        found = [(t, t.values) for t in ended if t.values is not None]
        forecasts: list[tuple[Told, Sequence[float]]] = [*found]
        for level, group in sorted(pruned.items()):
            known = [(t.at_rungs[level], values) for t, values in found if level in t.at_rungs]
            if len(known) >= self.enough:
                rows = forecast(known, [t.at_rungs[level] for t in group])
                forecasts += zip(group, rows.tolist(), strict=True)
        return [tier(sorted(forecasts, key=lambda pair: pair[0].candidate), objectives)]


def forecast(
    known: Sequence[tuple[Sequence[float], Sequence[float]]], rows: Sequence[Sequence[float]]
) -> Costs:
    """What ``rows`` at a rung come to, as pairs ``known`` of a rung and of the end did. [n, objectives].

    Of coefficients that these do not settle, those of the least norm, about their means.
    """
    before, after = (np.array(part, dtype=np.float64) for part in zip(*known, strict=True))
    middle, end = before.mean(axis=0), after.mean(axis=0)
    slopes, *_ = np.linalg.lstsq(before - middle, after - end, rcond=None)
    out: Costs = end + (np.array(rows, dtype=np.float64) - middle) @ slopes
    return out
