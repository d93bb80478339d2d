"""Arenas: the same world for every way of searching it, and the front that it really has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from search import studyfile
from search.worlds import Arc
from spaces import fronts

if TYPE_CHECKING:
    from search.engines.virtual import Usage
    from search.study import Study
    from search.studyfile import StudyFile
    from search.worlds import World
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
    """A study to search in a ``world`` whose ``front`` (as costs) is known; ``name`` is the world's."""

    name: str
    file: StudyFile
    world: World
    front: Costs

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
    angle = np.linspace(0, np.pi / 2, 257)
    return Arena(
        name="synthetic",
        file=file,
        world=Arc(knobs=file.space.knobs(), trade="averager.0.momentum"),
        front=file.objectives.costs(np.stack([np.cos(angle), np.sin(angle)], axis=1)),
    )


class Enough:
    """Whether a search has been watched for long enough.

    It has when it spent ``least`` device-seconds and found the share ``near`` of the true front's
    hypervolume, or spent ``most``.
    """

    def __init__(self, arena: Arena, *, least: float, most: float, near: float) -> None:
        self._reference = arena.reference
        self._level, self._least, self._most = near * arena.hypervolume, least, most
        self._front, self._found = np.empty((0, len(self._reference))), 0.0
        self._known = 0

    def __call__(self, spent: float) -> bool:
        return spent >= self._most or (spent >= self._least and self._found >= self._level)

    def found(self, costs: Costs) -> None:
        """Takes in what a full-stream candidate costs [objectives]."""
        if not (self._front <= costs).all(axis=1).any():
            front = np.vstack([self._front[~(costs <= self._front).all(axis=1)], costs])
            self._front, self._found = front, fronts.hypervolume(front, self._reference)

    def study(self, study: Study, usage: Usage) -> bool:
        """The same, of a study: takes in what of it is new."""
        objectives, outcomes = study.file.objectives, study.history.outcomes
        for outcome in islice(outcomes.values(), self._known, None):
            if outcome.state == "complete":
                values = [outcome.values[name] for name in objectives.names]
                self.found(objectives.costs(values)[0])
        self._known = len(outcomes)
        return self(usage.busy)
