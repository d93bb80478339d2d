"""Post-hoc search: other averages of the students that a study trained, without training any.

Averages are made of the students' snapshots (``search/bench.py``), so what they score is an
estimate. It is never written to the ledger, and comes with the error found on the averages that the
study did track.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.albums import finished
from search.bench import Bench, Check, Made
from search.folders import load
from search.samplers import Sampler
from spaces.fronts import hypervolume
from spaces.problems import SpecError, hint
from trainables.branches.base import deploys_branch
from trainables.metrics import METRICS, OF_ACCURACY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from search.history import History
    from search.studyfile import StudyFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What a post-hoc search of so many ``students`` found.

    ``before`` and ``after`` are hypervolumes: of the study's candidates, and of the averages made
    together with them. ``seconds`` are those of proposing, making and measuring ``made``, and of nothing else.
    """

    history: History
    file: StudyFile
    students: int
    made: tuple[Made, ...]
    check: Check
    before: float
    after: float
    seconds: float


def posthoc(directory: Path, *, candidates: int, sampler: Sampler) -> Findings:
    """Makes up to ``candidates`` averages of every student trained to the end, and measures them.

    They are drawn from the study's own averagers; each student has a sampler of its own, which is
    told what its averages score. Raises SpecError if the folder is no study's or has no snapshots,
    if an averager of the study is no mixture of students, or ``candidates`` is below 1.
    """
    if candidates < 1:
        raise SpecError([f"--candidates: at least 1, got {candidates}"])
    history, file = load(directory)
    _refuse_merges(directory, file)
    closer = [n for n in OF_ACCURACY if file.evaluate and METRICS[n].closer]
    if beyond := [n for n in file.goals.names if n not in OF_ACCURACY or n in closer]:
        why = f"{beyond[0]} is not known of averages made afterwards, whose accuracy alone is measured, at the ends of tasks"
        what = "objective" if beyond[0] in file.objectives.names else "constraint"
        raise SpecError([f"{directory}: the {what} {why}"])
    students = _students(directory, history, file)
    bench = Bench(file)
    made: list[Made] = []
    checks: list[Check] = []
    seconds = 0.0
    for job, member in students:
        student = bench.student(directory, history, job, member)
        if not student.finite:  # it diverged where no complete average looked
            continue
        checks.append(student.check(history))
        began = time.perf_counter()
        made += student.search(candidates, sampler)
        seconds += time.perf_counter() - began
    if not checks:
        raise SpecError([f"{directory}: every student diverged, so there is nothing to average"])
    return Findings(
        history=history,
        file=file,
        students=len(checks),
        made=tuple(made),
        check=Check.together(checks),
        before=history.hypervolume(file.goals),
        after=_volume(history, file, made),
        seconds=seconds,
    )


def sampler_called(kind: str) -> Sampler:
    """The sampler of that kind with its defaults. Raises SpecError if there is none."""
    if kind not in Sampler.kinds:
        raise SpecError([f"--sampler {kind}: unknown kind{hint(kind, Sampler.kinds)}"])
    made: Sampler = Sampler.kinds[kind]()
    return made


def _refuse_merges(directory: Path, file: StudyFile) -> None:
    """Raises SpecError if the study has averages that are no mixtures of its students."""
    corners = list(file.corners())
    merges = (averager for _, averager in corners if not averager.linear)
    kinds = sorted({type(a).__name__.lower() for a in merges})
    if any(deploys_branch(*corner) for corner in corners):
        kinds.append("student (which means a branch, by recipe.branch)")
    if kinds:
        told = (
            "are no mixtures of a student's weights, which is all that can be made of snapshots: "
            "search the other averagers in a study of their own"
        )
        raise SpecError([f"{directory}: averagers of kind {', '.join(kinds)} {told}"])


def _students(directory: Path, history: History, file: StudyFile) -> list[tuple[int, int]]:
    if file.snapshots is None:
        told = "keep some with `snapshots: {}` in the study file, or --set snapshots={}"
        raise SpecError([f"{directory}: this study kept no snapshots; {told}"])
    if not (students := finished(history)):
        raise SpecError([f"{directory}: no candidate is complete, so there is nothing to average"])
    return students


def _volume(history: History, file: StudyFile, made: Sequence[Made]) -> float:
    """The hypervolume of what was measured and what was made, together, as far as it is feasible."""
    objectives, goals = file.objectives, file.goals
    kept = [m.metrics for m in made if m.metrics and goals.feasible(m.metrics)]
    new = [[metrics[n] for n in objectives.names] for metrics in kept]
    old = history.values(history.feasible(goals), objectives.names)
    values = np.concatenate([old, np.array(new).reshape(len(new), len(objectives.names))])
    return hypervolume(objectives.costs(values), objectives.reference_cost)
