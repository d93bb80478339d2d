"""Trends: a metric rises, or falls, with a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from search.claims.base import Claim, Figure, Of, Rows, looked_at, named, quantity, told
from search.evidence import Evidence, Where, is_number


@Claim.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Trend(Claim):
    """Spearman's rho of the metric (``of: value``), or of its gain over the student, and a number.

    ``knob`` is the number's path in a configuration, such as ``recipe.optimizer.lr.end`` or
    ``averager.momentum``; only candidates that say it count, and of these those ``where`` settings
    are as given. rho is the correlation of ranks, ties sharing the mean of theirs.
    """

    source: str
    says: str
    metric: Annotated[str, Field(examples=["plasticity"])]
    knob: Annotated[str, Field(examples=["averager.momentum"])]
    goes: Literal["up", "down"]
    of: Of = "value"
    where: Where = field(default_factory=dict)
    kind: Literal["trend"] = "trend"

    @property
    def measured(self) -> str:
        among = f" ({told(self.where)})" if self.where else ""
        return f"Spearman's rho of {named(self.metric, self.of)} and {self.knob}{among}"

    @property
    def expected(self) -> Literal[1, -1]:
        return 1 if self.goes == "up" else -1

    def metrics(self) -> Mapping[str, str]:
        return looked_at(self.metric, self.of)

    def knobs(self) -> Mapping[str, str]:
        return {"knob": self.knob}

    def conditions(self) -> Mapping[str, Where]:
        return {"where": self.where}

    def rows(self, evidence: Evidence) -> NDArray[np.bool_]:
        measured = ~np.isnan(quantity(evidence, self.metric, self.of))
        return measured & ~np.isnan(self._numbers(evidence)) & evidence.meeting(self.where)

    def figure(self, evidence: Evidence) -> Figure:
        x, y = self._numbers(evidence), quantity(evidence, self.metric, self.of)

        def rho(rows: Rows) -> float:
            return correlation(ranks(x[rows]), ranks(y[rows]))

        return rho

    def _numbers(self, evidence: Evidence) -> NDArray[np.float64]:
        found = evidence.setting(self.knob)
        return np.array([n if is_number(n) else np.nan for n in found], dtype=np.float64)


def ranks(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 1, ties sharing the mean of theirs. SciPy's would be a second of every start."""
    _, group, sizes = np.unique(x, return_inverse=True, return_counts=True)
    shared: NDArray[np.float64] = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    return shared


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's, NaN where one of the two does not vary."""
    dx, dy = x - x.mean(), y - y.mean()
    spread = np.sqrt((dx @ dx) * (dy @ dy))
    return float(dx @ dy / spread) if spread > 0 else np.nan
