"""Arenas: the same world for every way of searching it, and the front that it really has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from search import studyfile, tabular
from search.worlds import Arc
from spaces import fronts
from trainables.metrics import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from search.engines.virtual import Usage
    from search.study import Study
    from search.studyfile import StudyFile
    from search.worlds import Knobs, Triangles, World
    from spaces.fronts import Costs

ARC = """\
name: arc
scenario: {kind: blobs, tasks: 5, steps: 6}
objectives: {plasticity: max, stability: max}
recipe:
  model: {kind: mlp, hidden: [8]}
  optimizer: {kind: sgd, lr: !log [1.0e-2, 0.5]}
  strategy: !choice
    - {kind: finetune}
    - {kind: mean_teacher, agreement: !log [0.1, 10], teacher: {kind: ema, momentum: !near_one [0.5, 0.99]}}
averagers:
  - {kind: ema, momentum: !near_one [0.5, 0.99], every: !int [1, 5]}
budget: {candidates: 64}
"""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """A study to search in a ``world`` whose ``front`` (as costs) is known; ``name`` is the world's.

    What is found is judged by what it is ``expected`` to score, without the luck of the seed that a
    search saw: by luck alone one would find better than the best.
    """

    name: str
    file: StudyFile
    world: World
    expected: Callable[[Sequence[Knobs]], Triangles]
    front: Costs

    def costs(self, candidates: Sequence[Knobs]) -> Costs:
        """What candidates really cost. [n, objectives]."""
        objectives, found = self.file.objectives, []
        for rows in self.expected(candidates):
            sheet = {"accuracy": [tuple(row[: k + 1].tolist()) for k, row in enumerate(rows)]}
            found.append(list(measure(objectives.names, sheet).values()))
        return objectives.costs(found)

    @property
    def reference(self) -> Costs:
        return self.file.objectives.reference_cost

    @property
    def signs(self) -> Costs:
        """What turns costs into values. [objectives]."""
        directions = self.file.objectives.directions
        return np.array([-1.0 if d == "max" else 1.0 for d in directions])

    @property
    def hypervolume(self) -> float:
        """The true front's."""
        return fronts.hypervolume(self.front, self.reference)

    def study(self, *overrides: str, seed: int, candidates: int) -> StudyFile:
        """The study with another seed, a budget of so many candidates, and ``overrides``."""
        settings = (*self.file.overrides, *overrides, f"budget.candidates={candidates}")
        return replace(studyfile.read_text(self.file.text, self.name, settings), seed=seed)


def synthetic() -> Arena:
    """A world in closed form: its front is a quarter circle."""
    file = studyfile.read_text(ARC, "arc")
    world = Arc(knobs=file.space.knobs(), trade="averager.0.momentum")
    angle = np.linspace(0, np.pi / 2, 257)
    return Arena(
        name="synthetic",
        file=file,
        world=world,
        expected=lambda candidates: world.accuracy(candidates, 0),
        front=file.objectives.costs(np.stack([np.cos(angle), np.sin(angle)], axis=1)),
    )


def recorded(table: Path, *, lucky: bool) -> Arena:
    """The world that was fitted to the table at ``table``, where seeds have their luck or have none.

    Raises:
        SpecError: if there is none.
    """
    found = tabular.load(table)
    world = found if lucky else replace(found, noise=None)
    return Arena(
        name=f"{table.stem}-luck" if lucky else table.stem,
        file=studyfile.read_text(world.file.text, world.file.source),  # without the table's design
        world=world,
        expected=world.expected,
        front=world.file.objectives.costs(world.front),
    )


class Enough:
    """Whether a search has been watched for long enough.

    It has when it spent ``least`` device-seconds and found the share ``near`` of the true front's
    hypervolume, or spent ``most``.
    """

    def __init__(self, arena: Arena, *, least: float, most: float, near: float) -> None:
        self._arena, self._level = arena, near * arena.hypervolume
        self._least, self._most = least, most
        self._front, self._found = np.empty((0, len(arena.reference))), 0.0
        self._told = 0
        self.costs: list[Costs] = []

    def __call__(self, spent: float) -> bool:
        return spent >= self._most or (spent >= self._least and self._found >= self._level)

    def found(self, candidates: Sequence[Knobs]) -> None:
        """Takes in full-stream candidates, whose costs are kept in ``costs``."""
        for cost in self._arena.costs(candidates):
            self.costs.append(cost)
            if not (self._front <= cost).all(axis=1).any():
                front = np.vstack([self._front[~(cost <= self._front).all(axis=1)], cost])
                self._front = front
                self._found = fronts.hypervolume(front, self._arena.reference)

    def study(self, study: Study, usage: Usage) -> bool:
        """The same, of a study: takes in what of it is new. Repeats cost, and find nothing."""
        history = study.history
        outcomes = islice(history.outcomes.values(), self._told, None)
        new = [o.candidate for o in outcomes if o.state == "complete" and not history.is_again(o)]
        if new:
            self.found([history.candidates[c].knobs for c in new])
        self._told = len(history.outcomes)
        return self(usage.busy)
