"""Metrics that need more data than the tasks learnt: the next task's, or the base set's."""

from __future__ import annotations

from statistics import fmean

from trainables.metrics.base import Metric, Sheet

BASE = "probe_base"
"""Accuracy on the training data of the base task, of streams that carry it as the probe ``base``."""


def _forward_transfer(sheet: Sheet) -> float:
    ahead, untrained = sheet["ahead"][:-1], sheet["untrained"][:-1]
    return fmean(a[0] - b[0] for a, b in zip(ahead, untrained, strict=True))


def _intransigence(sheet: Sheet) -> float:
    joint, own = sheet["joint"], sheet["accuracy"]
    return fmean(best[0] - row[-1] for best, row in zip(joint, own, strict=True))


def _performance_promotion(sheet: Sheet) -> float:
    return sheet["accuracy"][-1][-1] - sheet["accuracy"][0][0]


def _base_forgetting(sheet: Sheet) -> float:
    return sheet[BASE][0][0] - sheet[BASE][-1][0]


TRANSFERS = (
    Metric(
        name="forward_transfer",
        summary="what earlier tasks give the next before it is learnt, over the first weights (FWT)",
        formula="mean_{0<i<K} (a[i-1][i] - b[i]), b[i] the accuracy of the first weights",
        source="arXiv:1706.08840",
        direction="max",
        needs=("ahead", "untrained"),
        tasks_needed=2,
        low=-1,
        of=_forward_transfer,
    ),
    Metric(
        name="intransigence",
        summary=(
            "what a task falls short of when it is learnt, against a network of the same model that "
            "is shown all tasks so far at once (I); mean over tasks"
        ),
        formula="mean_k (j[k] - a[k][k]), j[k] the reference's accuracy on task k",
        source="arXiv:1801.10112",
        direction="min",
        needs=("joint", "accuracy"),
        low=-1,
        of=_intransigence,
    ),
    Metric(
        name="performance_promotion",
        summary="gain on held-out data since the base task (PP of KC-EMA); instance-incremental",
        formula="a[K-1][K-1] - a[0][0], all on the same samples",
        source="arXiv:2406.03065",
        direction="max",
        needs=("accuracy", BASE),
        tasks_needed=2,
        low=-1,
        of=_performance_promotion,
    ),
    Metric(
        name="base_forgetting",
        summary="drop on the base task's training data (F of KC-EMA); instance-incremental",
        formula="p[0] - p[K-1], p[k] the accuracy on them after task k",
        source="arXiv:2406.03065",
        direction="min",
        needs=(BASE,),
        tasks_needed=2,
        low=-1,
        of=_base_forgetting,
    ),
)
