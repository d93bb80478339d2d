"""How far back an average remembers: one number that compares every kind, schedule and cadence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainables.averagers.base import coefficients

if TYPE_CHECKING:
    from search.history import History
    from search.studyfile import StudyFile
    from spaces.clock import Clock
    from trainables.averagers import Averager


def half_life(averager: Averager, clock: Clock) -> float:
    """Steps before the end of the stream that hold half of the final average's weight.

    The final average is sum_i c[i] student[i]; this is the N at which the last N of the c[i] sum
    to 1/2, a step's weight spread evenly over it. Of an EMA of momentum m it is about
    log(1/2) / log(m); of the student itself 0.5; of the uniform average half of the stream.
    """
    latest_first = coefficients(averager.weights(clock))[::-1]
    held = np.concatenate([[0.0], np.cumsum(latest_first)])
    after = int(np.searchsorted(held, 0.5))
    return float(after - (held[after] - 0.5) / latest_first[after - 1])


def half_lives(history: History, study: StudyFile) -> dict[int, float]:
    """The half-life of each complete candidate's deployed average, in steps.

    Of all but merges, which are no mixtures of students and have none.
    """
    clock, complete = study.scenario.clock(), sorted(history.in_state("complete"))
    averagers = {c: study.candidate(history.candidates[c].config)[1] for c in complete}
    return {c: half_life(a, clock) for c, a in averagers.items() if a.linear}
