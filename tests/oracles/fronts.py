"""Fronts by the definitions, slowly: every pair compared, every cell of a grid counted."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(
        x < y for x, y in zip(a, b, strict=True)
    )


def measured(rows):
    return [row for row in rows if not any(np.isnan(row))]


def non_dominated(rows):
    return [
        not any(np.isnan(row)) and not any(dominates(other, row) for other in measured(rows))
        for row in rows
    ]


def ranks(rows):
    """Peels one front after another."""
    out, left = [len(rows)] * len(rows), [i for i, r in enumerate(rows) if not any(np.isnan(r))]
    rank = 0
    while left:
        front = [i for i in left if not any(dominates(rows[j], rows[i]) for j in left)]
        for i in front:
            out[i] = rank
        left = [i for i in left if i not in front]
        rank += 1
    return out


def hypervolume(rows, reference):
    """The cells of the grid through all coordinates that some row dominates, added up."""
    rows = [
        row for row in measured(rows) if all(x < r for x, r in zip(row, reference, strict=True))
    ]
    edges = [sorted({*(row[d] for row in rows), reference[d]}) for d in range(len(reference))]
    return sum(
        float(np.prod([high - low for low, high in cell]))
        for cell in product(*(list(pairwise(axis)) for axis in edges))
        if any(all(x <= low for x, (low, _) in zip(row, cell, strict=True)) for row in rows)
    )


def contributions(rows, reference):
    on = non_dominated(rows)
    front = [row for row, on_front in zip(rows, on, strict=True) if on_front]
    whole = hypervolume(front, reference)
    out = []
    for row, on_front in zip(rows, on, strict=True):
        rest = list(front)
        if on_front:
            rest.remove(row)
        out.append(whole - hypervolume(rest, reference))
    return out


def additive_epsilon(rows, front):
    return max(
        min(max(x - y for x, y in zip(row, best, strict=True)) for row in measured(rows))
        for best in front
    )


def igd_plus(rows, front):
    def short(row, best):
        return sum(max(x - y, 0) ** 2 for x, y in zip(row, best, strict=True)) ** 0.5

    return float(np.mean([min(short(row, best) for row in measured(rows)) for best in front]))


def attained(runs, share):
    """Of all meets of coordinates, those that enough runs reach, and no smaller one does."""
    axes = [sorted({row[d] for run in runs for row in run}) for d in range(len(runs[0][0]))]
    reached = [
        meet
        for meet in product(*axes)
        if sum(
            any(all(x <= y for x, y in zip(row, meet, strict=True)) for row in run) for run in runs
        )
        >= share * len(runs)
    ]
    return {m for m in reached if not any(dominates(other, m) for other in reached)}
