"""Gains: the average does better than its student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from search.claims.base import Claim, Figure, Rows, looked_at, named, quantity, sign, told
from search.evidence import Evidence, Where


@Claim.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Gain(Claim):
    """By how much averages are better than their students on ``metric``, ``where`` settings are so.

    ``by: median``, over candidates, of the difference; ``by: best``, the difference of the best
    average and the best student, which is what a search gains by averaging at all.
    """

    source: str
    says: str
    metric: Annotated[str, Field(examples=["plasticity"])]
    by: Literal["median", "best"] = "median"
    where: Where = field(default_factory=dict)
    kind: Literal["gain"] = "gain"

    @property
    def measured(self) -> str:
        among = f" ({told(self.where)})" if self.where else ""
        if self.by == "median":
            return f"median of {named(self.metric, 'gain')}{among}"
        return f"best {self.metric} of an average less the best of a student{among}"

    def metrics(self) -> Mapping[str, str]:
        return looked_at(self.metric, "gain")

    def conditions(self) -> Mapping[str, Where]:
        return {"where": self.where}

    def rows(self, evidence: Evidence) -> NDArray[np.bool_]:
        measured = ~np.isnan(quantity(evidence, self.metric, "gain"))
        return measured & evidence.meeting(self.where)

    def figure(self, evidence: Evidence) -> Figure:
        gains = quantity(evidence, self.metric, "gain")
        averages = sign(self.metric) * evidence.metric(self.metric)
        students = averages - gains

        def median(rows: Rows) -> float:
            return float(np.median(gains[rows]))

        def best(rows: Rows) -> float:
            return float(averages[rows].max() - students[rows].max())

        return median if self.by == "median" else best
