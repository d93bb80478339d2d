"""Metrics of what a run takes."""

from __future__ import annotations

from math import inf

from trainables.metrics.base import Metric, Sheet


def _seconds(sheet: Sheet) -> float:
    return sum(row[0] for row in sheet["seconds"])


def _parameters(sheet: Sheet) -> float:
    return sheet["parameters"][-1][0]


COSTS = (
    Metric(
        name="worker_seconds",
        summary=(
            "a candidate's share of its worker's training and evaluation; never twice the same, and "
            "smaller in company"
        ),
        formula="sum_k seconds[k]",
        source="ours",
        direction="min",
        needs=("seconds",),
        high=inf,
        subject="run",
        grows=True,
        of=_seconds,
    ),
    Metric(
        name="parameters",
        summary="numbers that the method keeps between tasks: student, average, teachers",
        formula="weights kept * P",
        source="ours",
        direction="min",
        needs=("parameters",),
        high=inf,
        subject="run",
        grows=True,
        of=_parameters,
    ),
)
