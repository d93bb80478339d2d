"""Comparisons: candidates with one setting do better than those with another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from search.claims.base import Claim, Figure, Rows, sign, told
from search.evidence import Evidence, Where
from spaces.fronts import hypervolume

By: TypeAlias = Literal["median", "best"]
Scores: TypeAlias = "NDArray[np.float64]"


@Claim.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Better(Claim):
    """How much better the candidates ``these`` are than ``those``, both told by their settings.

    ``by`` their median, or their best: of a ``metric``, or (``metric: hypervolume``, which has no
    median) the volume that they dominate, up to the objectives' reference. As a best grows with the
    number of tries, each draw takes equally many of both: the first so many that it drew.
    """

    source: str
    says: str
    these: Annotated[Where, Field(examples=[{"averager": "ema"}])]
    those: Annotated[Where, Field(examples=[{"averager": "student"}])]
    metric: str = "hypervolume"
    by: By = "best"
    kind: Literal["better"] = "better"

    def __post_init__(self) -> None:
        if self.metric == "hypervolume" and self.by == "median":
            raise ValueError("by: a front has a hypervolume, candidates have none: write best")

    @property
    def measured(self) -> str:
        what = self.metric if self.metric == "hypervolume" else f"{self.by} {self.metric}"
        return f"{what} by which ({told(self.these)}) is better than ({told(self.those)})"

    def metrics(self) -> Mapping[str, str]:
        return {} if self.metric == "hypervolume" else {"metric": self.metric}

    def conditions(self) -> Mapping[str, Where]:
        return {"these": self.these, "those": self.those}

    def rows(self, evidence: Evidence) -> NDArray[np.bool_]:
        measured = ~np.isnan(self._scores(evidence)).any(axis=1)
        return measured & (evidence.meeting(self.these) | evidence.meeting(self.those))

    def figure(self, evidence: Evidence) -> Figure:
        these, those = evidence.meeting(self.these), evidence.meeting(self.those)
        scores, reference = self._scores(evidence), evidence.objectives.reference_cost

        def apart(rows: Rows) -> float:
            of_these, of_those = rows[these[rows]], rows[those[rows]]
            count = min(len(of_these), len(of_those))
            if not count:
                return np.nan
            return self._worth(scores[of_these[:count]], reference) - self._worth(
                scores[of_those[:count]], reference
            )

        return apart

    def _scores(self, evidence: Evidence) -> Scores:
        """More is better; but costs for a hypervolume. [trials, 1 or objectives]."""
        if self.metric == "hypervolume":
            return evidence.costs()
        return sign(self.metric) * evidence.metric(self.metric)[:, None]

    def _worth(self, scores: Scores, reference: Scores) -> float:
        if self.metric == "hypervolume":
            return hypervolume(scores, reference)
        return float(scores.max() if self.by == "best" else np.median(scores))
