"""What a study would train and keep in memory, before anything runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.plans import Candidate, fold
from spaces.space import knob_name
from trainables.footprints import footprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.plans import Crew
    from search.studyfile import StudyFile
    from spaces.domains import Choice, Range
    from spaces.problems import Path


NOTE = (
    "Drawn at random and as if no rung stopped anyone: the sampler chooses others, so",
    "students and jobs may differ somewhat, and fewer steps are trained than that.",
    "Each worker takes some hundred MiB besides, for Python and PyTorch.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Counts over a whole study, as if nothing were pruned. ``memory`` is the largest job's, bytes."""

    candidates: int
    students: int
    jobs: int
    members: tuple[int, int]
    averages: int
    steps: int
    memory: int
    strategies: dict[str, int]
    rungs: tuple[int, ...]
    knobs: int

    def __str__(self) -> str:
        few, many = self.members
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.strategies.items()))
        rungs = ", ".join(map(str, self.rungs)) or "none"
        rows = {
            "candidates": f"{self.candidates} over {self.knobs} knobs",
            "students": f"{self.students} to train ({kinds}), {self.steps} steps each",
            "averages": f"up to {self.averages} followed on each student",
            "jobs": f"{self.jobs}, of {few} to {many} students trained in lockstep",
            "memory": f"{self.memory / 2**20:.1f} MiB of tensors in the largest job",
            "rungs": f"after tasks: {rungs}",
        }
        return "\n".join([*(f"{name:<12}{text}" for name, text in rows.items()), "", *NOTE])


def plan(file: StudyFile) -> Plan:
    """Draws the whole budget at random, wave by wave as a study does, and folds it."""
    rng = np.random.default_rng(file.seed)
    wave = file.fold.members * file.fold.averages
    drawn: list[Candidate] = []
    crews: list[Crew] = []
    while len(drawn) < file.budget.candidates:
        asked = _wave(file, rng, len(drawn), min(wave, file.budget.candidates - len(drawn)))
        drawn += asked
        crews += fold(asked, most_members=file.fold.members)
    clock = file.scenario.clock()
    tasks = len(clock.task_ends)
    return Plan(
        candidates=len(drawn),
        students=sum(map(len, crews)),
        jobs=len(crews),
        members=(min(map(len, crews)), max(map(len, crews))),
        averages=max(len(member) for crew in crews for member in crew),
        steps=clock.steps,
        memory=_memory(file, drawn, crews),
        strategies=Counter(_strategy(drawn[m[0]]) for crew in crews for m in crew),
        rungs=() if file.rungs is None else tuple(file.rungs.levels(tasks)),
        knobs=len(file.space.knobs()),
    )


def _wave(file: StudyFile, rng: np.random.Generator, first: int, size: int) -> list[Candidate]:
    out: list[Candidate] = []
    while len(out) < size:
        fixed: dict[str, Any] = {}
        for _ in range(min(file.fold.averages, size - len(out))):
            knobs: dict[str, Any] = {}
            _, filled = file.space.draw(_picker(rng, fixed, knobs))
            fixed = {n: v for n, v in knobs.items() if n.startswith("recipe.")}
            out.append(Candidate(first + len(out), *file.candidate(filled)))
    return out


def _picker(
    rng: np.random.Generator, fixed: dict[str, Any], knobs: dict[str, Any]
) -> Callable[[Path, Range | Choice], Any]:
    def pick(path: Path, domain: Range | Choice) -> Any:
        name = knob_name(path)
        knobs[name] = fixed[name] if name in fixed else domain.at(rng.random())
        return knobs[name]

    return pick


def _strategy(candidate: Candidate) -> str:
    kind: str = candidate.recipe.strategy.kind  # type: ignore[attr-defined]  # all of a family have it
    return kind


def _memory(file: StudyFile, drawn: list[Candidate], crews: list[Crew]) -> int:
    stream = file.scenario.stream()
    recipes = {crew: drawn[crew[0][0]].recipe for crew in crews}
    return max(
        footprint(recipe, stream, members=len(crew), averages=max(map(len, crew)))
        for crew, recipe in recipes.items()
    )
