"""Metrics of accuracies between the ends of tasks (De Lange et al., arXiv:2205.13452).

Row k of the measure ``curve`` is flat: for each evaluation in task k its step and the accuracies on
tasks 0..k, the first at the task's start, before any update, the last at its end. ``A(i, n)`` is
the accuracy on task i after step n. The paper evaluates after every step; evaluated every
``evaluate.every`` steps, what happens in between is not seen: minima are over-estimated, and
windows of D evaluations are of D * every steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isnan, nan
from statistics import fmean
from typing import Literal

from trainables.metrics.base import Metric, Sheet

FIRST_STEPS = 10
"""Of a task, that its learning curve is averaged over (beta of A-GEM, arXiv:1812.00420)."""


def points(flat: Sequence[float], task: int) -> list[Sequence[float]]:
    """``(step, A(0), ..., A(task))`` of each evaluation in ``task``, in order."""
    width = task + 2
    return [flat[at : at + width] for at in range(0, len(flat), width)]


def evaluations(sheet: Sheet, task: int) -> list[Sequence[float]]:
    """The points of the curve in ``task``."""
    return points(sheet["curve"][task], task)


def lows(sheet: Sheet) -> list[float]:
    """The lowest accuracy on each task but the last since it was learnt, as closely as it was looked at."""
    rows = sheet["accuracy"]
    if "curve" in sheet:
        return [_lowest_since(sheet, task) for task in range(len(rows) - 1)]
    low = list(rows[-1][:-1])
    for row in rows[1:-1]:
        low[: len(row) - 1] = map(min, low, row[:-1])
    return low


def _lowest_since(sheet: Sheet, task: int) -> float:
    rows = sheet["accuracy"]
    if any(isnan(number) for row in sheet["curve"] for number in row):
        return nan
    after = (e for k in range(task + 1, len(rows)) for e in evaluations(sheet, k)[1:])
    return min(e[task + 1] for e in after)


def _track(sheet: Sheet, task: int) -> list[float]:
    """Accuracy on ``task`` from its own start on. A later task's start is the end of the one before."""
    tasks = range(task, len(sheet["curve"]))
    return [e[task + 1] for k in tasks for e in evaluations(sheet, k)[k > task :]]


def _gap(sheet: Sheet) -> float:
    last = len(sheet["curve"]) - 1
    lowest = [min(e[i + 1] for e in evaluations(sheet, i + 1)[1:]) for i in range(last)]
    return fmean(sheet["accuracy"][i][i] - low for i, low in enumerate(lowest))


def _recovery(sheet: Sheet) -> float:
    return fmean(_recovered(sheet, i) for i in range(len(sheet["curve"]) - 1))


def _recovered(sheet: Sheet, task: int) -> float:
    seen, before = evaluations(sheet, task + 1), sheet["accuracy"][task][task]
    start, end = seen[0][0], seen[-1][0]
    steps = [e[0] for e in seen[1:]]
    low = [e[task + 1] < before for e in seen[1:]]
    if True not in low:
        return 0.0
    first = low.index(True)
    back = steps[low.index(False, first)] if False in low[first:] else end
    return (back - start) / (end - start)


def _fall(track: Sequence[float], window: int) -> float:
    """The most that is lost within ``window`` consecutive evaluations, or 0."""
    worst = 0.0
    for n, now in enumerate(track):
        worst = max(worst, *(before - now for before in track[max(0, n - window + 1) : n]), 0.0)
    return worst


def _windowed(window: int, sign: Literal[1, -1], sheet: Sheet) -> float:
    """The most that is lost within ``window`` evaluations, or of the negatives, which is gained."""
    tracks = [_track(sheet, i) for i in range(len(sheet["curve"]))]
    return fmean(_fall([sign * a for a in track], window) for track in tracks)


def _learning_curve_area(sheet: Sheet) -> float:
    return fmean(fmean(_first_steps(sheet, k)) for k in range(len(sheet["curve"])))


def _first_steps(sheet: Sheet, task: int) -> list[float]:
    seen = evaluations(sheet, task)
    return [e[-1] for e in seen if e[0] - seen[0][0] <= FIRST_STEPS]


NEEDS = ("accuracy", "curve")

CURVES = (
    Metric(
        name="stability_gap",
        summary="how far a task falls while the next one is learnt",
        formula="mean_{i<K-1} (a[i][i] - min_{n in task i+1} A(i, n))",
        source="arXiv:2205.13452",
        direction="min",
        needs=NEEDS,
        tasks_needed=2,
        low=-1,
        of=_gap,
    ),
    Metric(
        name="recovery_length",
        summary=(
            "how long the next task keeps a task below what it was before: 0 if it never falls, 1 "
            "if it has not come back by the end; a share of the next task's steps"
        ),
        formula="mean_{i<K-1} (first n after the fall with A(i, n) >= a[i][i], of task i+1)",
        source="ours",
        direction="min",
        needs=NEEDS,
        tasks_needed=2,
        of=_recovery,
    ),
    *(
        Metric(
            name=f"windowed_forgetting_{window}",
            summary=f"the most that a task loses within {window} evaluations (WF^{window})",
            formula=f"mean_i max_{{n-{window}<m<n}} (A(i, m) - A(i, n)), at least 0",
            source="arXiv:2205.13452",
            direction="min",
            needs=NEEDS,
            of=partial(_windowed, window, 1),
        )
        for window in (10, 100)
    ),
    *(
        Metric(
            name=f"windowed_plasticity_{window}",
            summary=f"the most that a task gains within {window} evaluations (WP^{window})",
            formula=f"mean_i max_{{n-{window}<m<n}} (A(i, n) - A(i, m)), at least 0",
            source="arXiv:2205.13452",
            direction="max",
            needs=NEEDS,
            of=partial(_windowed, window, -1),
        )
        for window in (10, 100)
    ),
    Metric(
        name="learning_curve_area",
        summary=(
            f"mean accuracy on a task from its start to its step {FIRST_STEPS} (LCA); "
            "only with evaluate: {every: 1}"
        ),
        formula=f"mean_k mean_{{0<=n<={FIRST_STEPS}}} A(k, start of k + n)",
        source="arXiv:1812.00420",
        direction="max",
        needs=NEEDS,
        rate=1,
        of=_learning_curve_area,
    ),
)
