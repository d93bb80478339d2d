"""What a claim is, and how a study judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.evidence import Evidence, Where
from spaces.families import Family
from trainables import metrics

DRAWS = 1000
INSIDE = (2.5, 97.5)
"""Of the draws, in percent, the ends of the interval that is given: draws themselves."""

FEWEST = 3
"""Students, below which nothing is said."""

Rows: TypeAlias = NDArray[np.int64]
Figure: TypeAlias = Callable[[Rows], float]
Verdict: TypeAlias = Literal["agrees", "disagrees", "undecided"]
Of: TypeAlias = Literal["value", "gain"]
"""A metric itself, or by how much the average's is better than its student's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a study shows of a claim: ``figure`` and an interval from ``low`` to ``high``.

    These are None where too little was measured to say anything; the verdict is then undecided.
    ``measured`` says in words what the figure is of.
    """

    says: str
    source: str
    measured: str
    verdict: Verdict
    figure: float | None
    low: float | None
    high: float | None
    candidates: int
    students: int


class Claim(Family):
    """What a paper ``says``, and one figure of a study by whose sign it is judged.

    It agrees if the figure's 95% bootstrap interval lies on the ``expected`` side of 0, disagrees if
    it lies on the other, and is undecided if 0 is in it. What is drawn, with replacement, are
    students with all their averages, for the averages of one student are not independent; the
    figure given is the median of the draws. All students of a study share its seed, unless
    ``recipe.seed`` varies: the interval tells of other settings, not of other seeds. And a sampler
    that learns looks where it is good: what holds over a space is asked of ``qmc`` or ``random``.

    Laws (``tests/contracts/test_claims.py``): the same evidence gives the same finding; a figure is
    turned round where what it is expected to be is; nothing measured is undecided.
    """

    __slots__ = ()
    source: str
    says: str

    @property
    def measured(self) -> str:
        """What the figure is of, in words."""
        raise NotImplementedError

    @property
    def expected(self) -> Literal[1, -1]:
        return 1

    def metrics(self) -> Mapping[str, str]:
        """The metrics looked at, by the field that names them."""
        raise NotImplementedError

    def knobs(self) -> Mapping[str, str]:
        """The paths of settings that have to be numbers and to vary, by the field that names them."""
        return {}

    def conditions(self) -> Mapping[str, Where]:
        """The conditions on settings, by the field that says them."""
        raise NotImplementedError

    def rows(self, evidence: Evidence) -> NDArray[np.bool_]:
        """Which trials it is about. [trials]."""
        raise NotImplementedError

    def figure(self, evidence: Evidence) -> Figure:
        """The figure of those trials whose rows it is given, some of them again and again.

        NaN if there is none.
        """
        raise NotImplementedError

    def judge(self, evidence: Evidence) -> Finding:
        """The same evidence gives the same finding."""
        rows = self.rows(evidence)
        students = evidence.students(rows)
        figure, low, high = _interval(self.figure(evidence), students)
        return Finding(
            says=self.says,
            source=self.source,
            measured=self.measured,
            verdict=_verdict(low, high, self.expected),
            figure=figure,
            low=low,
            high=high,
            candidates=int(rows.sum()),
            students=len(students),
        )


def quantity(evidence: Evidence, metric: str, of: Of) -> NDArray[np.float64]:
    """The metric, or by how much the average's is better than the student's. [trials]."""
    values = evidence.metric(metric)
    if of == "value":
        return values
    return sign(metric) * (values - evidence.metric(f"{metrics.PREFIX}{metric}"))


def looked_at(metric: str, of: Of) -> dict[str, str]:
    """The metrics that ``quantity`` looks at, by the field that asks for them."""
    return (
        {"metric": metric}
        if of == "value"
        else {"metric": metric, "of": f"{metrics.PREFIX}{metric}"}
    )


def named(metric: str, of: Of) -> str:
    return metric if of == "value" else f"the gain in {metric} over the student"


def sign(metric: str) -> int:
    """1 if more of it is better, -1 if less is."""
    return 1 if metrics.named(metric).direction == "max" else -1


def told(where: Where) -> str:
    """Conditions in words: ``averager ema, recipe.merge ties or none``."""
    return ", ".join(f"{path} {_either(wanted)}" for path, wanted in where.items())


def _either(wanted: Any) -> str:
    values = wanted if isinstance(wanted, list | tuple) else [wanted]
    return " or ".join("none" if v is None else str(v) for v in values)


def _interval(figure: Figure, students: list[Rows]) -> tuple[float | None, ...]:
    """The median of the draws and the ends of the interval; None if there is too little."""
    drawn = np.array(list(_draws(figure, students)))
    drawn = drawn[~np.isnan(drawn)]
    if len(students) < FEWEST or len(drawn) < DRAWS // 2:
        return None, None, None
    low = np.percentile(drawn, INSIDE[0], method="lower")
    high = np.percentile(drawn, INSIDE[1], method="higher")
    return float(np.median(drawn)), float(low), float(high)


def _draws(figure: Figure, students: list[Rows]) -> Iterator[float]:
    if len(students) < FEWEST:
        return
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        drawn = rng.integers(len(students), size=len(students))
        yield figure(np.concatenate([students[i] for i in drawn]))


def _verdict(low: float | None, high: float | None, expected: int) -> Verdict:
    if low is None or high is None or low <= 0 <= high:
        return "undecided"
    return "agrees" if (low > 0) == (expected > 0) else "disagrees"
