"""Metrics of continual learning: each one number, of what was measured after each task.

Throughout, ``a[k][i]`` is the accuracy in [0, 1] on task i after task k was learnt, for i <= k,
both from 0: a lower triangle. K is the number of tasks learnt so far (the stream may not be over).
"""

from trainables.metrics.base import BY_TASK, PREFIX, Metric, Rows, Sheet, sheet_of, student_of
from trainables.metrics.catalogue import (
    METRICS,
    OF_ACCURACY,
    defined,
    known,
    measure,
    named,
    names,
    table,
)

__all__ = [
    "BY_TASK",
    "METRICS",
    "OF_ACCURACY",
    "PREFIX",
    "Metric",
    "Rows",
    "Sheet",
    "defined",
    "known",
    "measure",
    "named",
    "names",
    "sheet_of",
    "student_of",
    "table",
]
