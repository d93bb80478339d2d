"""The metrics of continual learning as plain loops, straight from the formulas.

``s.a[k, i]``: accuracy on task i after task k, NaN above the diagonal; K tasks, from 0.
``s.curve[k]``: a list of (step, accuracies on tasks 0..k), the first before any update of task k.
"""

from __future__ import annotations

import numpy as np


class Sheet:
    def __init__(self, sheet):
        rows = sheet["accuracy"]
        self.tasks = len(rows)
        self.a = np.full((len(rows), len(rows)), np.nan)
        for k, row in enumerate(rows):
            self.a[k, : k + 1] = row
        self.measured = sheet
        self.curve = [
            [(e[0], list(e[1:])) for e in np.reshape(flat, (-1, k + 2)).tolist()]
            for k, flat in enumerate(sheet.get("curve", []))
        ]


def plasticity(s):
    total = 0.0
    for i in range(s.tasks):
        total += s.a[i, i]
    return total / s.tasks


def stability(s):
    total = 0.0
    for i in range(s.tasks - 1):
        total += s.a[s.tasks - 1, i]
    return total / (s.tasks - 1)


def accuracy(s):
    return _accuracy(s.a)


def _accuracy(a):
    total = 0.0
    for i in range(len(a)):
        total += a[len(a) - 1, i]
    return total / len(a)


def average_incremental_accuracy(s):
    total = 0.0
    for k in range(s.tasks):
        total += _accuracy(s.a[: k + 1, : k + 1])
    return total / s.tasks


def backward_transfer(s):
    total = 0.0
    for i in range(s.tasks - 1):
        total += s.a[s.tasks - 1, i] - s.a[i, i]
    return total / (s.tasks - 1)


def forgetting(s):
    total = 0.0
    for i in range(s.tasks - 1):
        best = -np.inf
        for k in range(i, s.tasks - 1):
            best = max(best, s.a[k, i])
        total += best - s.a[s.tasks - 1, i]
    return total / (s.tasks - 1)


def min_accuracy(s):
    total = 0.0
    for i in range(s.tasks - 1):
        worst = np.inf
        for k in range(i + 1, s.tasks):
            worst = min(worst, s.a[k, i])
            for step, accuracies in s.curve[k] if s.curve else []:
                if step > s.curve[k][0][0]:
                    worst = min(worst, accuracies[i])
        total += worst
    return total / (s.tasks - 1)


def worst_case_accuracy(s):
    """De Lange's code: the plain mean of the current accuracy and the others' minima."""
    minima = [min_accuracy(s) * (s.tasks - 1), s.a[-1, -1]]
    return sum(minima) / s.tasks


def stability_gap(s):
    total = 0.0
    for i in range(s.tasks - 1):
        lowest = np.inf
        for _, accuracies in s.curve[i + 1][1:]:
            lowest = min(lowest, accuracies[i])
        total += s.a[i, i] - lowest
    return total / (s.tasks - 1)


def recovery_length(s):
    total = 0.0
    for i in range(s.tasks - 1):
        start, end = s.curve[i + 1][0][0], s.curve[i + 1][-1][0]
        fallen, took = False, 0.0
        for step, accuracies in s.curve[i + 1][1:]:
            if not fallen and accuracies[i] < s.a[i, i]:
                fallen, took = True, 1.0
            elif fallen and accuracies[i] >= s.a[i, i]:
                took = (step - start) / (end - start)
                break
        total += took
    return total / (s.tasks - 1)


def track(s, i):
    """As one who looks after every evaluation and never twice at the same weights."""
    seen = {}
    for k in range(s.tasks):
        for step, accuracies in s.curve[k]:
            if i <= k:
                seen.setdefault(step, accuracies[i])
    return list(seen.values())


def windowed(s, window, sign):
    total = 0.0
    for i in range(s.tasks):
        values, worst = track(s, i), 0.0
        for n in range(len(values)):
            for m in range(n):
                if n - m < window:
                    worst = max(worst, sign * (values[m] - values[n]))
        total += worst
    return total / s.tasks


def windowed_forgetting_10(s):
    return windowed(s, 10, 1)


def windowed_forgetting_100(s):
    return windowed(s, 100, 1)


def windowed_plasticity_10(s):
    return windowed(s, 10, -1)


def windowed_plasticity_100(s):
    return windowed(s, 100, -1)


def learning_curve_area(s):
    areas = []
    for k in range(s.tasks):
        first = [a[k] for step, a in s.curve[k] if step <= s.curve[k][0][0] + 10]
        areas.append(sum(first) / len(first))
    return sum(areas) / len(areas)


def forward_transfer(s):
    total = 0.0
    for i in range(1, s.tasks):
        total += s.measured["ahead"][i - 1][0] - s.measured["untrained"][i - 1][0]
    return total / (s.tasks - 1)


def intransigence(s):
    total = 0.0
    for k in range(s.tasks):
        total += s.measured["joint"][k][0] - s.a[k, k]
    return total / s.tasks


def performance_promotion(s):
    return s.a[-1, -1] - s.a[0, 0]


def base_forgetting(s):
    return s.measured["probe_base"][0][0] - s.measured["probe_base"][-1][0]


def nll(s):
    return np.mean(s.measured["nll"][-1])


def brier(s):
    return np.mean(s.measured["brier"][-1])


def calibration_error(s):
    return np.mean(s.measured["ece"][-1])


def memorised_noise(s):
    return s.measured["memorised"][-1][0]


def churn(s):
    return np.mean([np.mean(row) for row in s.measured["churn"][1:]])


def churn_across_seeds(s):
    return np.mean(s.measured["twin_churn"][-1])


def worker_seconds(s):
    return np.sum(s.measured["seconds"])


def parameters(s):
    return s.measured["parameters"][-1][0]
