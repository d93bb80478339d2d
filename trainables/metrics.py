"""Metrics of continual learning, each a function of the accuracies after each task.

Throughout, ``rows[k][i]`` is the accuracy in [0, 1] on task i after task k was learnt, for
i <= k, both from 0: a lower triangle. K is the number of rows so far (the stream may not be
over), so the last row is ``rows[K - 1]``. Some accuracies have names of their own elsewhere:
plasticity is the learning accuracy of Riemer et al. (arXiv:1810.11910), accuracy is ACC.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from statistics import fmean
from typing import Literal, TypeAlias

Rows: TypeAlias = Sequence[Sequence[float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One number in [``low``, ``high``] for a triangle of at least ``tasks_needed`` rows."""

    name: str
    summary: str
    direction: Literal["max", "min"]
    tasks_needed: int
    low: float
    high: float
    of: Callable[[Rows], float]


def measure(names: Iterable[str], rows: Rows) -> dict[str, float]:
    """The metrics called ``names`` of the tasks learnt so far, in that order.

    NaN where there are too few rows to define a metric, and for every metric when an accuracy
    is NaN: a member that failed once has no score.

    Raises:
        ValueError: if a name is unknown, or rows[k] does not hold k + 1 accuracies.
    """
    metrics = [_named(name) for name in names]
    lengths = [len(row) for row in rows]
    if lengths != list(range(1, len(rows) + 1)):
        raise ValueError(f"row k must hold k + 1 accuracies, got rows of {lengths=}")
    failed = any(math.isnan(accuracy) for row in rows for accuracy in row)
    return {
        m.name: math.nan if failed or len(rows) < m.tasks_needed else m.of(rows) for m in metrics
    }


def _named(name: str) -> Metric:
    if name not in METRICS:
        close = get_close_matches(name, METRICS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(METRICS)}"
        raise ValueError(f"unknown metric {name!r} ({hint})")
    return METRICS[name]


def _plasticity(rows: Rows) -> float:
    return fmean(row[-1] for row in rows)


def _stability(rows: Rows) -> float:
    return fmean(rows[-1][:-1])


def _accuracy(rows: Rows) -> float:
    return fmean(rows[-1])


def _average_incremental_accuracy(rows: Rows) -> float:
    return fmean(fmean(row) for row in rows)


def _backward_transfer(rows: Rows) -> float:
    return fmean(rows[-1][i] - rows[i][i] for i in _past(rows))


def _forgetting(rows: Rows) -> float:
    return fmean(max(row[i] for row in rows[i:-1]) - rows[-1][i] for i in _past(rows))


def _min_accuracy(rows: Rows) -> float:
    return fmean(min(row[i] for row in rows[i + 1 :]) for i in _past(rows))


def _worst_case_accuracy(rows: Rows) -> float:
    share = 1 / len(rows)
    return share * rows[-1][-1] + (1 - share) * _min_accuracy(rows)


def _past(rows: Rows) -> range:
    """Every task but the last one learnt."""
    return range(len(rows) - 1)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="plasticity",
            summary="mean_i a[i][i]: accuracy on a task right after learning it",
            direction="max",
            tasks_needed=1,
            low=0,
            high=1,
            of=_plasticity,
        ),
        Metric(
            name="stability",
            summary="mean_{i<K-1} a[K-1][i]: last accuracy on every task but the last",
            direction="max",
            tasks_needed=2,
            low=0,
            high=1,
            of=_stability,
        ),
        Metric(
            name="accuracy",
            summary="mean_i a[K-1][i]: last accuracy on all tasks (ACC, arXiv:1706.08840)",
            direction="max",
            tasks_needed=1,
            low=0,
            high=1,
            of=_accuracy,
        ),
        Metric(
            name="average_incremental_accuracy",
            summary="mean_k mean_{i<=k} a[k][i], first task included (AIA, arXiv:1611.07725)",
            direction="max",
            tasks_needed=1,
            low=0,
            high=1,
            of=_average_incremental_accuracy,
        ),
        Metric(
            name="backward_transfer",
            summary="mean_{i<K-1} (a[K-1][i] - a[i][i]) (BWT, arXiv:1706.08840)",
            direction="max",
            tasks_needed=2,
            low=-1,
            high=1,
            of=_backward_transfer,
        ),
        Metric(
            name="forgetting",
            summary="mean_{i<K-1} (max_{i<=l<K-1} a[l][i] - a[K-1][i]) (F, arXiv:1801.10112)",
            direction="min",
            tasks_needed=2,
            low=-1,
            high=1,
            of=_forgetting,
        ),
        Metric(
            name="min_accuracy",
            summary=(
                "mean_{i<K-1} min_{i<l<K} a[l][i]: worst accuracy at a task's end since the task "
                "was learnt (min-ACC, arXiv:2205.13452, which looks after every step)"
            ),
            direction="max",
            tasks_needed=2,
            low=0,
            high=1,
            of=_min_accuracy,
        ),
        Metric(
            name="worst_case_accuracy",
            summary=(
                "a[K-1][K-1] / K + (1 - 1/K) min_accuracy (WC-ACC, arXiv:2205.13452, "
                "at the ends of tasks)"
            ),
            direction="max",
            tasks_needed=2,
            low=0,
            high=1,
            of=_worst_case_accuracy,
        ),
    )
}
