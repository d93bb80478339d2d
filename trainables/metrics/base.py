"""What a metric is, and the sheet of measurements that it is a function of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum, inf, isnan, nan
from typing import Literal, TypeAlias

Rows: TypeAlias = Sequence[Sequence[float]]

Sheet: TypeAlias = Mapping[str, Rows]
"""Of each measure (``trainables/measures.py``), the numbers found after each task so far.

Those of the average have the measure's name, those of the student ``student_`` before it.
"""

PREFIX = "student_"

TRIANGLES = frozenset({"accuracy", "nll", "brier", "ece", "twin_churn"})
"""Measures whose row k holds a number for each of the tasks 0..k."""

BY_TASK = TRIANGLES | {"churn"}
"""Measures whose rows hold a number for each task from the first on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One number in [``low``, ``high``] of a sheet of at least ``tasks_needed`` tasks.

    ``needs`` are the measures it is a function of; with the measure ``curve`` it is only defined
    where the study evaluates between the ends of tasks, at most ``rate`` steps apart if that is
    given; one that is ``closer`` where the study does so is another number there. Its ``subject``
    are weights or the whole run: only the former can be asked for of the student. One that
    ``grows`` never falls as the stream goes on: what is too much of it stays too much.
    An end of the range that is infinite is no reference: a study that trades such a metric off
    says its own.
    """

    name: str
    summary: str
    formula: str
    source: str
    direction: Literal["max", "min"]
    of: Callable[[Sheet], float]
    needs: tuple[str, ...] = ("accuracy",)
    tasks_needed: int = 1
    low: float = 0
    high: float = 1
    rate: float = inf
    closer: bool = False
    subject: Literal["weights", "run"] = "weights"
    grows: bool = False

    def value(self, sheet: Sheet) -> float:
        """NaN if too little was measured, or what was measured is not finite.

        Raises:
            ValueError: if row k of a measure of tasks 0..k does not hold k + 1 numbers.
        """
        return self.given(tasks_in(sheet))(sheet)

    def given(self, tasks: Mapping[str, float]) -> Callable[[Sheet], float]:
        """What gives the value of sheets whose ``tasks_in`` is ``tasks``."""
        count = tasks.get(self.needs[0], 0)
        enough = count >= self.tasks_needed  # nor is it if it is NaN
        alike = {tasks.get(name, 0) for name in self.needs} == {count}
        return self.of if enough and alike else _undefined


def _undefined(sheet: Sheet) -> float:
    del sheet
    return nan


def tasks_in(sheet: Sheet) -> dict[str, float]:
    """After how many tasks each measure was made; NaN if a number of it is.

    Raises:
        ValueError: if row k of a measure of tasks 0..k does not hold k + 1 numbers.
    """
    found: dict[str, float] = {}
    for name, rows in sheet.items():
        if name in TRIANGLES:
            _check_triangle(name, rows)
        found[name] = nan if _has_nan(rows) else len(rows)
    return found


def _has_nan(rows: Rows) -> bool:
    # A sum that is a number is of numbers; one that is none may be of two infinities.
    return isnan(sum(map(sum, rows))) and any(map(isnan, chain.from_iterable(rows)))


def mean(numbers: Sequence[float]) -> float:
    """Of at least one; bit for bit ``statistics.fmean``, which takes twice the time."""
    return fsum(numbers) / len(numbers)


def student_of(sheet: Sheet) -> Sheet:
    """What was measured of the student, under the names of the measures themselves."""
    return {n.removeprefix(PREFIX): rows for n, rows in sheet.items() if n.startswith(PREFIX)}


def without_student(sheet: Sheet) -> Sheet:
    """What was measured of the average and the run."""
    return {name: rows for name, rows in sheet.items() if not name.startswith(PREFIX)}


def sheet_of(records: Iterable[Mapping[str, Sequence[float]]]) -> Sheet:
    """The sheet of what was measured after each task; NaN where a measure failed or was not made."""
    found = list(records)
    every = dict.fromkeys(chain.from_iterable(found))
    return {
        name: [
            record[name] if name in record else _lacking(name, k) for k, record in enumerate(found)
        ]
        for name in every
    }


def _lacking(name: str, task: int) -> Sequence[float]:
    """What stands for a measure that failed or was not made after ``task``."""
    wide = task + 1 if name.removeprefix(PREFIX) in TRIANGLES else 1
    return (nan,) * wide


def _check_triangle(name: str, rows: Rows) -> None:
    lengths = list(map(len, rows))
    if lengths != list(range(1, len(rows) + 1)):
        what = "accuracies" if name == "accuracy" else f"numbers of {name}"
        raise ValueError(f"row k must hold k + 1 {what}, got rows of {lengths=}")
