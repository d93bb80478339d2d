"""The metrics of continual learning as plain loops over the matrix, straight from the formulas.

``a[k, i]``: accuracy on task i after task k, NaN above the diagonal; K tasks, from 0.
"""

from __future__ import annotations

import numpy as np


def matrix(rows):
    a = np.full((len(rows), len(rows)), np.nan)
    for k, row in enumerate(rows):
        a[k, : k + 1] = row
    return a


def plasticity(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i, i]
    return total / len(a)


def stability(a):
    total = 0.0
    for i in range(len(a) - 1):
        total += a[len(a) - 1, i]
    return total / (len(a) - 1)


def accuracy(a):
    total = 0.0
    for i in range(len(a)):
        total += a[len(a) - 1, i]
    return total / len(a)


def average_incremental_accuracy(a):
    total = 0.0
    for k in range(len(a)):
        total += accuracy(a[: k + 1, : k + 1])
    return total / len(a)


def backward_transfer(a):
    total = 0.0
    for i in range(len(a) - 1):
        total += a[len(a) - 1, i] - a[i, i]
    return total / (len(a) - 1)


def forgetting(a):
    total = 0.0
    for i in range(len(a) - 1):
        best = -np.inf
        for k in range(i, len(a) - 1):
            best = max(best, a[k, i])
        total += best - a[len(a) - 1, i]
    return total / (len(a) - 1)


def min_accuracy(a):
    total = 0.0
    for i in range(len(a) - 1):
        worst = np.inf
        for k in range(i + 1, len(a)):
            worst = min(worst, a[k, i])
        total += worst
    return total / (len(a) - 1)


def worst_case_accuracy(a):
    """De Lange's code: the plain mean of the current accuracy and the others' minima."""
    minima = [min_accuracy(a) * (len(a) - 1), a[-1, -1]]
    return sum(minima) / len(a)
