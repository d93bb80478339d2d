"""The bench: where averages are made of a student's snapshots, and measured as a study would.

Made of snapshots (``trainables/posthoc.py``) they are close to the averages that a study tracks step
by step, and what they score is an estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from search.albums import folder
from search.jobs import device_of
from search.samplers.suggestions import Suggestions
from spaces.problems import SpecError
from spaces.space import Space
from trainables.averagers import Averager, coefficients
from trainables.devices import device_called
from trainables.learners import Learner
from trainables.metrics import defined, measure
from trainables.posthoc import reconstructions
from trainables.readers import Reader
from trainables.scoring import score
from trainables.snapshots import Kept, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    from torch import Tensor

    from search.history import History
    from search.samplers import Sampler
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

    @classmethod
    def together(cls, checks: Sequence[Self]) -> Self:
        """One of all that ``checks`` compared."""
        names = ("weights", "expected", "accuracy", "objectives")
        return cls(**{n: np.concatenate([getattr(c, n) for c in checks]) for n in names})


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


def _complete(history: History, candidate: int) -> bool:
    return candidate in history.outcomes and history.outcomes[candidate].state == "complete"


def _flat(rows: Sequence[Rows]) -> np.ndarray:
    return np.array([a for of in rows for row in of for a in row])
