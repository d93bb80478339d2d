"""Simulations: a whole search on a virtual clock, without training, a file or a process.

from search import studyfile
from search.engines.virtual import Fleet
from search.simulation import simulate

found = simulate(studyfile.read("digits-frontier"), world, Fleet(workers=1000))
print(found.usage.wall, found.history.hypervolume(found.file.goals))
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING
from uuid import uuid4

from search import tabular
from search.aims import wanted
from search.engines.virtual import Virtual, VirtualClock
from search.events import Opened
from search.history import History
from search.replays import refuse_other
from search.room import BOUNDLESS, room
from search.study import Study
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.engines.virtual import Fleet, Usage
    from search.events import Event
    from search.studyfile import StudyFile
    from search.worlds import Knobs, Triangles, World

PAID = ("seconds", "parameters")
"""Measures that a study knows of itself: nothing has to be trained for them."""


class Unwritten:
    """A ledger that keeps nothing: its study lasts as long as it runs. Its folder is never made."""

    def __init__(self) -> None:
        self.directory = Path(gettempdir()) / f"equipoise-unwritten-{uuid4().hex}"

    def append(self, *events: Event) -> None:
        """Nothing: the history has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """What a simulated search found and cost.

    ``deciding`` are the CPU seconds that the study itself took on this machine: sampler, rungs,
    folding and the engine's own arithmetic, the world's left out. All else is the same every time.
    """

    file: StudyFile
    history: History
    usage: Usage
    deciding: float

    @property
    def lost(self) -> float:
        """Busy seconds of which no record tells."""
        return max(0.0, self.usage.busy - self.history.device_seconds())


def simulate(
    file: StudyFile,
    world: World,
    fleet: Fleet,
    enough: Callable[[Study, Usage], bool] | None = None,
) -> Simulation:
    """Runs ``file`` in ``world`` to the end of its budget, or until ``enough`` says so.

    Raises:
        SpecError: if the study asks for what no world tells of.
    """
    refuse_untold(file)
    clock, opened, timed = VirtualClock(), Opened(name=file.name, text=file.text), _Timed(world)
    held = BOUNDLESS if file.fold.memory == "auto" else room(file)
    began = time.process_time()
    study = Study(file, Unwritten(), History(opened), clock, held)
    engine = Virtual(study, timed, fleet, clock)
    engine.drive(lambda: enough is not None and enough(study, engine.usage))
    if study.done:
        study.end()
    deciding = time.process_time() - began - timed.seconds_spent
    return Simulation(file=file, history=study.history, usage=engine.usage, deciding=deciding)


def world_of(table: Path, file: StudyFile) -> World:
    """The world that the table at ``table`` is of.

    Raises:
        SpecError: if there is none, or it does not tell of ``file``.
    """
    world = tabular.load(table)
    refuse_other(file, world.file, str(table))
    return world


def refuse_untold(file: StudyFile) -> None:
    """Raises SpecError if ``file`` wants more measured than accuracies at the ends of tasks."""
    untold = [name for name in wanted(file) if name not in PAID]
    problems = [
        f"{name}: a simulation knows accuracies at the ends of tasks only" for name in untold
    ]
    if file.evaluate is not None:
        problems.append("evaluate: a simulation knows accuracies at the ends of tasks only")
    if file.snapshots is not None:
        problems.append("snapshots: nothing is trained here; say snapshots=null")
    if problems:
        raise SpecError([f"{file.source}: {problem}" for problem in problems])


class _Timed:
    """A world, and the CPU seconds that were spent in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.seconds_spent = 0.0

    def accuracy(self, candidates: Sequence[Knobs], seed: int) -> Triangles:
        began = time.process_time()
        found = self._world.accuracy(candidates, seed)
        self.seconds_spent += time.process_time() - began
        return found

    def seconds(self, members: Sequence[Sequence[Knobs]], task: int) -> float:
        began = time.process_time()
        found = self._world.seconds(members, task)
        self.seconds_spent += time.process_time() - began
        return found
