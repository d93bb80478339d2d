"""Averages the slow way: every student taken in by itself, in float64."""

from __future__ import annotations

from collections import deque

import numpy as np


def follow(table, students):
    """The average after each of ``students`` [T, P]: skip at 0, copy at 1, mix between."""
    average = np.full(students.shape[1], np.nan)
    for w, student in zip(table, students.astype(np.float64), strict=True):
        if w == 1:
            average = student
        elif w > 0:
            with np.errstate(invalid="ignore"):  # an infinite student makes NaN, as it should
                average = average + w * (student - average)
    return average


def latest(students, ends, window, every):
    """After each of ``ends`` steps the mean of the last ``window`` students kept, one in ``every``."""
    kept, means = deque(maxlen=window), []
    for done, student in enumerate(students, start=1):
        if done % every == 0:
            kept.append(student)
        if done in ends:
            means.append(np.mean(kept, axis=0) if kept else student)
    return means
