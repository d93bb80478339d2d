"""All metrics by name, and measuring by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, lru_cache
from math import isfinite

from trainables.metrics.accuracies import ACCURACIES
from trainables.metrics.base import PREFIX, Metric, Sheet, student_of, tasks_in, without_student
from trainables.metrics.calibration import CALIBRATION
from trainables.metrics.costs import COSTS
from trainables.metrics.curves import CURVES
from trainables.metrics.transfers import TRANSFERS

METRICS = {m.name: m for m in (*ACCURACIES, *CURVES, *TRANSFERS, *CALIBRATION, *COSTS)}
"""Those of the average. ``student_`` before the name of one that is of weights: of the student."""

OF_ACCURACY = [name for name, metric in METRICS.items() if metric.needs == ("accuracy",)]
"""Those of every study: nothing is measured for them alone."""


def names() -> list[str]:
    """Every name that a study file may say."""
    return [*METRICS, *(PREFIX + m.name for m in METRICS.values() if m.subject == "weights")]


def known(name: str) -> bool:
    """Whether there is a metric of that name."""
    base = METRICS.get(name.removeprefix(PREFIX))
    return base is not None and (not name.startswith(PREFIX) or base.subject == "weights")


@cache
def named(name: str) -> Metric:
    """The metric of that name, ``student_`` being one of the student.

    Raises:
        ValueError: if there is none.
    """
    if not known(name):
        close = get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(METRICS)}"
        raise ValueError(f"unknown metric {name!r} ({hint})")
    base = METRICS[name.removeprefix(PREFIX)]
    return base if name in METRICS else replace(base, name=name)


def measure(wanted: Iterable[str], sheet: Sheet) -> dict[str, float]:
    """The metrics called ``wanted`` of the tasks learnt so far, in that order.

    NaN where too little was measured to define a metric, and where what it needs is NaN: weights
    that failed once have no score.

    Raises:
        ValueError: if a name is unknown, or rows[k] of a triangle of the average's, or of the student's
            if one is wanted of it, does not hold k + 1 numbers.
    """
    every = tuple(wanted)
    found = _found(every, sheet)
    return {name: found[name] for name in every}


def _found(wanted: tuple[str, ...], sheet: Sheet) -> dict[str, float]:
    """Those metrics, of students last."""
    own, students = _parted(wanted)
    found = _values(own, without_student(sheet))
    if students:
        rows = ((name, tuple(map(tuple, of))) for name, of in student_of(sheet).items())
        found |= _of_student(students, tuple(rows))
    return found


@lru_cache(maxsize=256)
def _parted(wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those names that are of the average or the run, and those of the student."""
    students = tuple(name for name in wanted if named(name).name.startswith(PREFIX))
    return tuple(name for name in wanted if name not in students), students


def _values(wanted: tuple[str, ...], sheet: Sheet) -> dict[str, float]:
    tasks = tuple(tasks_in(sheet).items())
    return {name: of(sheet) for name, of in _formulas(wanted, tasks)}


@lru_cache(maxsize=256)
def _formulas(
    wanted: tuple[str, ...], tasks: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, Callable[[Sheet], float]], ...]:
    """What gives each metric of measures that were made after so many ``tasks``."""
    known = dict(tasks)
    return tuple((name, named(name).given(known)) for name in wanted)


@lru_cache(maxsize=256)
def _of_student(
    wanted: tuple[str, ...], rows: tuple[tuple[str, tuple[tuple[float, ...], ...]], ...]
) -> dict[str, float]:
    """Worked out once for all averages of a student: these come one after another."""
    return _values(wanted, dict(rows))


def defined(sheet: Sheet) -> dict[str, float]:
    """Every metric that what was measured defines."""
    found = _found(_definable(frozenset(sheet)), sheet)
    return {n: v for n, v in found.items() if isfinite(v)}


@cache
def _definable(measures: frozenset[str]) -> tuple[str, ...]:
    """The names of metrics that need no other than these ``measures``."""
    return tuple(n for n in names() if measures.issuperset(_needs(n)))


def _needs(name: str) -> list[str]:
    prefix = PREFIX if name.startswith(PREFIX) else ""
    return [prefix + measure for measure in named(name).needs]


def table() -> str:
    """All metrics as the table of the README."""
    head = ["name", "better", "what it is", "formula", "source"]
    rows = [[f"`{m.name}`", m.direction, m.summary, m.formula, m.source] for m in METRICS.values()]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, ["---"] * 5, *rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)
