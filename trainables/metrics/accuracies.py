"""Metrics of the accuracies at the ends of tasks: the triangle ``a[k][i]``."""

from __future__ import annotations

from trainables.metrics.base import Metric, Sheet, mean
from trainables.metrics.curves import lows


def _plasticity(sheet: Sheet) -> float:
    return mean([row[-1] for row in sheet["accuracy"]])


def _stability(sheet: Sheet) -> float:
    return mean(sheet["accuracy"][-1][:-1])


def _accuracy(sheet: Sheet) -> float:
    return mean(sheet["accuracy"][-1])


def _average_incremental_accuracy(sheet: Sheet) -> float:
    return mean([mean(row) for row in sheet["accuracy"]])


def _backward_transfer(sheet: Sheet) -> float:
    rows = sheet["accuracy"]
    return mean([rows[-1][i] - rows[i][i] for i in range(len(rows) - 1)])


def _forgetting(sheet: Sheet) -> float:
    *before, last = sheet["accuracy"]
    best = list(before[-1])
    for row in before[:-1]:
        best[: len(row)] = map(max, best, row)
    return mean([most - now for most, now in zip(best, last, strict=False)])


def _min_accuracy(sheet: Sheet) -> float:
    return mean(lows(sheet))


def _worst_case_accuracy(sheet: Sheet) -> float:
    rows = sheet["accuracy"]
    share = 1 / len(rows)
    return share * rows[-1][-1] + (1 - share) * _min_accuracy(sheet)


ACCURACIES = (
    Metric(
        name="plasticity",
        summary="accuracy on a task right after learning it (LA)",
        formula="mean_i a[i][i]",
        source="arXiv:1810.11910",
        direction="max",
        of=_plasticity,
    ),
    Metric(
        name="stability",
        summary="last accuracy on every task but the last",
        formula="mean_{i<K-1} a[K-1][i]",
        source="ours",
        direction="max",
        tasks_needed=2,
        of=_stability,
    ),
    Metric(
        name="accuracy",
        summary="last accuracy on all tasks (ACC)",
        formula="mean_i a[K-1][i]",
        source="arXiv:1706.08840",
        direction="max",
        of=_accuracy,
    ),
    Metric(
        name="average_incremental_accuracy",
        summary="mean over the stream of the accuracy so far, first task included (AIA)",
        formula="mean_k mean_{i<=k} a[k][i]",
        source="arXiv:1611.07725",
        direction="max",
        of=_average_incremental_accuracy,
    ),
    Metric(
        name="backward_transfer",
        summary="what tasks gained since they were learnt (BWT)",
        formula="mean_{i<K-1} (a[K-1][i] - a[i][i])",
        source="arXiv:1706.08840",
        direction="max",
        tasks_needed=2,
        low=-1,
        of=_backward_transfer,
    ),
    Metric(
        name="forgetting",
        summary="what tasks lost since they were known best (F)",
        formula="mean_{i<K-1} (max_{i<=l<K-1} a[l][i] - a[K-1][i])",
        source="arXiv:1801.10112",
        direction="min",
        tasks_needed=2,
        low=-1,
        of=_forgetting,
    ),
    Metric(
        name="min_accuracy",
        summary=(
            "worst accuracy since a task was learnt (min-ACC), at every evaluation if the study "
            "says evaluate, else at the ends of tasks, where it is over-estimated"
        ),
        formula="mean_{i<K-1} min_{n after task i} A(i, n)",
        source="arXiv:2205.13452",
        direction="max",
        tasks_needed=2,
        closer=True,
        of=_min_accuracy,
    ),
    Metric(
        name="worst_case_accuracy",
        summary="the last task's accuracy and the others' worst (WC-ACC); evaluated as min_accuracy",
        formula="a[K-1][K-1] / K + (1 - 1/K) min_accuracy",
        source="arXiv:2205.13452",
        direction="max",
        tasks_needed=2,
        closer=True,
        of=_worst_case_accuracy,
    ),
)
