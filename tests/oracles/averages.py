"""Averages the slow way: every student taken in by itself, in float64."""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction

import numpy as np

from tests.oracles.products import rounded


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


def absorbed(average, decay, weights, students):
    """A number of an average after a block: what is kept of it, then students, each sum rounded once.

    All of float32; NaN if one that counts is not finite. What counts nothing is not looked at.
    """
    total = np.float32(0) if decay == 0 else np.float32(decay) * np.float32(average)
    for w, student in zip(weights.tolist(), students.tolist(), strict=True):
        if w == 0:
            continue
        if not (math.isfinite(total) and math.isfinite(student)):
            return np.float32(np.nan)
        total = rounded(Fraction(w) * Fraction(student) + Fraction(float(total)))
    return total if np.isfinite(total) else np.float32(np.nan)


def latest(students, ends, window, every):
    """After each of ``ends`` steps the mean of the last ``window`` students kept, one in ``every``."""
    kept, means = deque(maxlen=window), []
    for done, student in enumerate(students, start=1):
        if done % every == 0:
            kept.append(student)
        if done in ends:
            means.append(np.mean(kept, axis=0) if kept else student)
    return means


def updated(students, momentum, *, delay=0, every=1, chance=None, probability=1.0):
    """The average after each student, by the loop that libraries have: copies, skips, updates.

    ``momentum`` is a function of the steps since the delay, and is that of one step.
    """
    average, averages = None, []
    for t, student in enumerate(students):
        since = t - delay
        if since <= 0:
            average = student
        elif since % every == 0 and (chance is None or chance[t] < probability):
            kept = momentum(since) ** every
            average = kept * average + (1 - kept) * student
        averages.append(average)
    return np.array(averages)


def zscl(students, starts, ends, every, *, carried):
    """At each end of a task w of ``w, n = theta, 0; every few steps w = (n w + theta) / (n + 1)``.

    With the count as in the loop of the code, where n is 1 at a task's first step. A task begins
    at the student before it or, where ``carried``, at the average before it.
    """
    average, averages = None, []
    for start, end in zip(starts, ends, strict=True):
        n = 0 if start == 0 else 1
        if start and not carried:
            average = students[start - 1]
        for i, student in enumerate(students[start:end]):
            if i % every == 0:
                average = student if n == 0 else (n * average + student) / (n + 1)
                n += 1
        averages.append(average)
    return np.array(averages)
