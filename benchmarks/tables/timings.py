"""How long jobs take on the processor: what the cost model of a table is fitted to.

A job's seconds are the processor's (``time.process_time``), one thread: on a machine that others
use too, the wall clock would tell of them.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.tables.jobs import driven, job_of
from search.asking import under_recipe
from search.folders import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.history import History
    from search.jobs import Job
    from search.studyfile import StudyFile

MEMBERS = (1, 2, 8, 32)
AVERAGES = (1, 4, 16, 64)
MOST = 256
"""Averages in all: wider jobs take minutes, and memory."""


def main() -> None:
    """Prints one row a task of a job, as JSON, of the study in the folder that is named."""
    history, file = load(Path(sys.argv[1]))
    for row in timings(history, file):
        print(json.dumps(row), flush=True)


def timings(history: History, file: StudyFile) -> Iterator[dict[str, Any]]:
    """Of each kind of strategy and each size of job: its members, averages, task and seconds.

    No job is larger than there are students for. The first of a kind is not told: it is what the
    process warms up with.
    """
    for kind, students in _by_strategy(history).items():
        widths = [m for m in MEMBERS if m <= len(students)]
        sizes = [(m, k) for m, k in product(widths, AVERAGES) if m * k <= MOST]
        for place, (members, averages) in enumerate([(1, 1), *sizes]):
            rng = np.random.default_rng((members, averages))
            crew = [
                [int(c), *map(int, rng.choice(len(history.candidates), averages - 1))]
                for c in rng.permutation(students)[:members]
            ]
            job = job_of(history, file, crew, seed=file.seed)
            row = {"strategy": kind, "members": members, "averages": averages}
            for task, seconds in enumerate(_seconds(job)):
                if place:
                    yield row | {"task": task, "seconds": seconds}


def _by_strategy(history: History) -> dict[int, list[int]]:
    """One candidate of each student, by the option of ``recipe.strategy``."""
    seen: dict[str, int] = {}
    for number, asked in history.candidates.items():
        seen.setdefault(repr(under_recipe(asked.knobs)), number)
    found: dict[int, list[int]] = {}
    for number in seen.values():
        knobs = history.candidates[number].knobs
        size = [v for n, v in knobs.items() if n.startswith("recipe.memory")]
        if size in ([], [1]):  # one program: those who share a memory
            found.setdefault(knobs.get("recipe.strategy", 0), []).append(number)
    return dict(sorted(found.items()))


def _seconds(job: Job) -> Iterator[float]:
    """Of each task, the making of the cohort with the first."""
    began = time.process_time()
    for _ in driven(job):
        now = time.process_time()
        yield now - began
        began = now


if __name__ == "__main__":
    main()
