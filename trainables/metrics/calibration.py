"""Metrics of probabilities, of answers that change, and of wrong labels learnt by heart."""

from __future__ import annotations

from functools import partial
from math import inf
from statistics import fmean

from trainables.metrics.base import Metric, Sheet


def _last(name: str, sheet: Sheet) -> float:
    return fmean(sheet[name][-1])


def _churn(sheet: Sheet) -> float:
    return fmean(fmean(row) for row in sheet["churn"][1:])


CALIBRATION = (
    Metric(
        name="nll",
        summary="mean negative log-likelihood of the label, in nats, over all tasks at the end",
        formula="mean_i mean_x -log p(y | x)",
        source="arXiv:1706.04599",
        direction="min",
        needs=("nll",),
        high=inf,
        of=partial(_last, "nll"),
    ),
    Metric(
        name="brier",
        summary="squared distance of the probabilities from the label, over all tasks at the end",
        formula="mean_i mean_x sum_c (p(c | x) - [c = y])^2",
        source="Brier 1950",
        direction="min",
        needs=("brier",),
        high=2,
        of=partial(_last, "brier"),
    ),
    Metric(
        name="calibration_error",
        summary="confidence against accuracy in 15 equal bins (ECE), over all tasks at the end",
        formula="mean_i sum_b (n_b / n) |acc(b) - conf(b)|",
        source="arXiv:1706.04599",
        direction="min",
        needs=("ece",),
        of=partial(_last, "ece"),
    ),
    Metric(
        name="churn",
        summary="share of answers on earlier tasks that a task changes",
        formula="mean_{0<k<K} mean_{i<k} mean_x [f_k(x) != f_{k-1}(x)]",
        source="Milani Fard et al. 2016",
        direction="min",
        needs=("churn",),
        tasks_needed=2,
        of=_churn,
    ),
    Metric(
        name="churn_across_seeds",
        summary=(
            "share of answers that another seed changes: against a twin trained beside with other "
            "first weights and draws, over all tasks at the end; doubles the work"
        ),
        formula="mean_i mean_x [f(x) != g(x)], g the twin",
        source="arXiv:2411.18704",
        direction="min",
        needs=("twin_churn",),
        of=partial(_last, "twin_churn"),
    ),
    Metric(
        name="memorised_noise",
        summary="share of the corrupted training samples answered with the wrong label; noisy_labels",
        formula="mean_{x corrupted} [f(x) = the wrong label]",
        source="arXiv:1706.05394",
        direction="min",
        needs=("memorised",),
        of=partial(_last, "memorised"),
    ),
)
