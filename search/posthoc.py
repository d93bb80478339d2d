"""Post-hoc search: other averages of the students that a study trained, without training any.

Averages are made of the students' snapshots (``trainables/posthoc.py``), so what they score is an
estimate. It is never written to the ledger, and comes with the error found on the averages that the
study did track.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from search.albums import finished, folder
from search.folders import load
from search.jobs import device_of
from search.samplers import Sampler
from search.samplers.suggestions import Suggestions
from spaces.fronts import hypervolume
from spaces.problems import SpecError, hint
from spaces.space import Space
from trainables.averagers import Averager, coefficients
from trainables.branches.base import deploys_branch
from trainables.devices import device_called
from trainables.learners import Learner
from trainables.metrics import METRICS, OF_ACCURACY, defined, measure
from trainables.posthoc import reconstructions
from trainables.readers import Reader
from trainables.scoring import score
from trainables.snapshots import Kept, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from search.history import History
    from search.samplers.suggestions import Drawn
    from search.studyfile import StudyFile
    from trainables.posthoc import Reconstruction, Shares

Rows: TypeAlias = "list[tuple[float, ...]]"

BATCH = 64
"""Averages proposed, made and measured at a time; samplers that learn do so in between."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """An average made of snapshots, with what it would have been as a candidate.

    ``like`` is a candidate of the same student, ``error`` the largest expected one over the tasks
    (``Reconstruction.errors``). ``metrics`` are none where what it answers is not finite, and there
    are no ``rows`` of a combination that is refused.
    """

    like: int
    knobs: dict[str, Any]
    config: dict[str, Any]
    rows: Rows
    metrics: dict[str, float]
    error: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """How far averages made of snapshots are from the same averages tracked step by step.

    ``weights``: for one average a student and task, the distance to the tracked one, of that one's
    from the first weights; ``expected`` is what was expected of these. ``accuracy``: for every
    candidate of these students, task and validation set, by how much the accuracy is off.
    ``objectives``: for every candidate and objective. Float64 [n] each.
    """

    weights: np.ndarray
    expected: np.ndarray
    accuracy: np.ndarray
    objectives: np.ndarray


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
        check=_together(checks),
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


class Bench:
    """What making and measuring averages takes, the same for every student of a study."""

    def __init__(self, file: StudyFile) -> None:
        assert file.snapshots is not None
        torch.set_num_threads(max(1, int(file.resources.cpu)))
        self.file = file
        self.device = device_called(device_of(file))
        self.stream = file.scenario.stream().to(self.device)
        self.rows = file.snapshots.rows(self.stream.clock)
        self.solvers = reconstructions(file.snapshots.profiles(self.stream.clock))

    def student(self, directory: Path, history: History, job: int, member: int) -> Student:
        """The student that was ``member`` of ``job``, its snapshots read from the study's folder.

        Raises SpecError if they are not all there.
        """
        place, tasks = folder(directory, job), range(len(self.solvers))
        try:
            kept = [read(place, member, task) for task in tasks]
        except (FileNotFoundError, ValueError) as error:
            raise SpecError([f"{place}: snapshots of member {member}: {error}"]) from None
        if [len(k.snapshots) for k in kept] != self.rows:
            raise SpecError([f"{place}: snapshots of member {member}: of another version's kind"])
        return Student(self, history, job, member, kept)


class Student:
    """One student's snapshots, of which averages are made."""

    def __init__(
        self, bench: Bench, history: History, job: int, member: int, kept: Sequence[Kept]
    ) -> None:
        queued = history.jobs[job]
        self._bench = bench
        self._own = [c for c in queued.members[member] if _complete(history, c)]
        self._knobs = history.candidates[self._own[0]].knobs
        self._config = history.candidates[self._own[0]].config
        self._recipe, _ = bench.file.candidate(self._config)
        # With the recipe that it was trained by, to which an averager may lead.
        self._space = Space(self._config | {"averager": bench.file.space.template["averager"]})
        self._learner = Learner(self._recipe, bench.stream, seed=queued.seed)
        if self._recipe.classifier.paired:
            kind = self._recipe.classifier.kind
            raise SpecError(
                [
                    f"recipe.classifier: {kind} also asks the student, of which snapshots know nothing"
                ]
            )
        self._snapshots = torch.cat([k.snapshots for k in kept]).to(bench.device)
        self._tracked = [(queued.candidates[k.seat], k.average.to(bench.device)) for k in kept]
        self._seed = np.random.SeedSequence((bench.file.seed, job, member))

    @property
    def finite(self) -> bool:
        """Whether every weight of every snapshot is."""
        return bool(self._snapshots.isfinite().all())

    def search(self, candidates: int, sampler: Sampler) -> list[Made]:
        """Makes and measures ``candidates`` averages; one, if there is nothing to choose."""
        goals = self._bench.file.goals
        wanted = candidates if self._space.knobs() else 1
        seed = int(self._seed.generate_state(1)[0])
        suggestions = Suggestions(sampler, self._space, goals.objectives, seed)
        out: list[Made] = []
        while len(out) < wanted:
            numbers = range(len(out), min(wanted, len(out) + BATCH))
            batch = self._made([suggestions.ask(n) for n in numbers])
            for number, made in zip(numbers, batch, strict=True):
                if made.metrics:
                    told, limits = goals.told(made.metrics), goals.limits(made.metrics)
                    suggestions.tell(number, "complete", told, limits)
                else:
                    suggestions.tell(number, "failed")
            out += batch
        return out

    def check(self, history: History) -> Check:
        """Makes averages that the study tracked, and compares."""
        rows, _ = self._measure([self._averager(history, c) for c in self._own])
        true = [history.rows(c) for c in self._own]
        far = [self._distance(history, task) for task in range(len(self._tracked))]
        weights, expected = np.array(far).T
        names = self._bench.file.objectives.names
        values = [
            _flat([[tuple(measure(names, {"accuracy": r}).values())] for r in of])
            for of in (rows, true)
        ]
        return Check(
            weights=weights,
            expected=expected,
            accuracy=np.abs(_flat(rows) - _flat(true)),
            objectives=np.abs(values[0] - values[1]),
        )

    def _made(self, drawn: Sequence[Drawn]) -> list[Made]:
        configs = [self._config | d.filled for d in drawn]
        measured = self._measured(configs)
        recipe = {n: v for n, v in self._knobs.items() if n.startswith("recipe.")}
        return [
            Made(
                like=self._own[0],
                knobs=recipe | d.knobs,
                config=config,
                rows=accuracies,
                metrics=defined({"accuracy": accuracies}) if accuracies else {},
                error=error,
            )
            for d, config, (accuracies, error) in zip(drawn, configs, measured, strict=True)
        ]

    def _measured(self, configs: Sequence[dict[str, Any]]) -> list[tuple[Rows, float]]:
        """Accuracies after each task, and the largest expected error; none of what is refused."""
        file = self._bench.file
        legal = [n for n, config in enumerate(configs) if not file.refusals(config)]
        found: list[tuple[Rows, float]] = [([], math.nan) for _ in configs]
        if legal:
            rows, errors = self._measure([file.candidate(configs[n])[1] for n in legal])
            for n, accuracies, error in zip(legal, rows, errors, strict=True):
                found[n] = accuracies, float(error)
        return found

    def _measure(self, averagers: Sequence[Averager]) -> tuple[list[Rows], np.ndarray]:
        """Of each average, accuracies after each task; and its largest expected error [N]."""
        masks, validation = self._bench.stream.masks, self._bench.stream.validation
        found: list[Rows] = [[] for _ in averagers]
        errors = np.zeros(len(averagers))
        for task, solver in enumerate(self._bench.solvers):
            shares = self._shares(averagers, task)
            averages = self._averages(solver, shares)
            seen = self._bench.stream.train[: task + 1]
            reader = Reader(self._recipe.classifier, self._learner, seen)
            columns = [
                score(reader, (averages,), split, None if masks is None else masks[i])[:, 0]
                for i, split in enumerate(validation[: task + 1])
            ]
            for rows, accuracy in zip(found, torch.stack(columns, dim=1).tolist(), strict=True):
                rows.append(tuple(accuracy))
            errors = np.maximum(errors, solver.errors(shares))
        return found, errors

    def _shares(self, averagers: Sequence[Averager], task: int) -> Shares:
        """The shares of the students so far in each average at the end of ``task`` [N, steps]."""
        clock = self._bench.stream.clock
        return np.stack([coefficients(a.weights_at(clock, task)) for a in averagers])

    def _averages(self, solver: Reconstruction, shares: Shares) -> Tensor:
        """The averages with these shares, as well as they can be made. Float32 [N, P]."""
        weights = torch.from_numpy(solver.weights(shares).astype(np.float32)).to(self._bench.device)
        return weights @ self._snapshots[: weights.shape[1]]

    def _distance(self, history: History, task: int) -> tuple[float, float]:
        """How far a tracked average is from the one made, measured and as expected."""
        candidate, tracked = self._tracked[task]
        solver = self._bench.solvers[task]
        shares = self._shares([self._averager(history, candidate)], task)
        off = (self._averages(solver, shares)[0] - tracked).norm()
        way = (tracked - self._learner.start.to(tracked)).norm()
        return float(off / way), float(solver.errors(shares)[0])

    def _averager(self, history: History, candidate: int) -> Averager:
        return self._bench.file.candidate(history.candidates[candidate].config)[1]


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


def _complete(history: History, candidate: int) -> bool:
    return candidate in history.outcomes and history.outcomes[candidate].state == "complete"


def _flat(rows: Sequence[Rows]) -> np.ndarray:
    return np.array([a for of in rows for row in of for a in row])


def _together(checks: Sequence[Check]) -> Check:
    names = ("weights", "expected", "accuracy", "objectives")
    return Check(**{n: np.concatenate([getattr(c, n) for c in checks]) for n in names})


def _volume(history: History, file: StudyFile, made: Sequence[Made]) -> float:
    """The hypervolume of what was measured and what was made, together, as far as it is feasible."""
    objectives, goals = file.objectives, file.goals
    kept = [m.metrics for m in made if m.metrics and goals.feasible(m.metrics)]
    new = [[metrics[n] for n in objectives.names] for metrics in kept]
    old = history.values(history.feasible(goals), objectives.names)
    values = np.concatenate([old, np.array(new).reshape(len(new), len(objectives.names))])
    return hypervolume(objectives.costs(values), objectives.reference_cost)
