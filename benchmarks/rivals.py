"""Rivals: what others' searchers and schedulers do on the same world, one configuration a trial.

Each is the library's own object, asked and told by hand in the order of a virtual clock: Ray's
``OptunaSearch`` and ``AsyncHyperBandScheduler``, and Syne Tune's ``MOASHA``, which lives in an
environment of its own (``benchmarks/syne_moasha.py``). A trial costs what a job of one student with
one average does. What a scheduler stops is no part of the front.
"""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import optuna

from search.samplers.coordinates import suggest, value
from search.traces import Trace
from spaces.space import knob_name
from trainables.metrics import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.arenas import Arena, Enough
    from spaces.fronts import Costs
    from spaces.problems import Path as Place
    from spaces.space import Domain, Space

    Pick = Callable[[str, Domain], Any]

SYNE = "EQUIPOISE_SYNE_PYTHON"
"""The environment variable that says where the Python is that has Syne Tune."""


class Rival(Protocol):
    """A searcher with its scheduler."""

    def propose(self, trial: int) -> tuple[dict[str, Any], Any]:
        """The knobs of a new trial, and what they fill."""
        ...

    def goes_on(self, trial: int, tasks: int, values: Mapping[str, float]) -> bool:
        """Whether the trial trains on, having measured ``values`` after so many tasks."""
        ...

    def ended(self, trial: int, values: Mapping[str, float] | None) -> None:
        """The trial ended, trained to the end or stopped, with the last ``values``; None: it failed."""
        ...

    def close(self) -> None:
        """No more will be asked."""
        ...


@dataclass(slots=True)
class _Run:
    """A trial on a worker."""

    trial: int
    knobs: dict[str, Any]
    accuracy: np.ndarray
    task: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Seen:
    """What of the search is known so far."""

    spent: float = 0.0
    ended: int = 0
    at: list[tuple[float, int]] = field(default_factory=list)

    def trace(self, costs: list[Costs], objectives: int) -> Trace:
        return Trace(
            costs=np.array(costs, dtype=np.float64).reshape(-1, objectives),
            seconds=np.array([spent for spent, _ in self.at]),
            ended=np.array([ended for _, ended in self.at], dtype=np.int64),
        )


@dataclass(frozen=True, kw_only=True)
class Race:
    """A ``rival`` with ``workers`` in an ``arena``, for at most ``trials``."""

    arena: Arena
    rival: Rival
    workers: int
    trials: int
    seed: int

    def run(self, enough: Enough) -> tuple[Trace, Seen]:
        """Until it is ``enough``. Trials that cannot be trained cost nothing, and are told as failed."""
        due: list[tuple[float, int, _Run]] = []
        seen, clock, asked = Seen(), 0.0, 0
        names = self.arena.file.objectives.names
        while True:
            while len(due) < self.workers and asked < self.trials:
                run, asked = self._begin(asked), asked + 1
                if run is None:
                    seen.ended += 1
                else:
                    heappush(due, (clock + run.seconds, run.trial, run))
            if not due:
                return seen.trace(enough.costs, len(names)), seen
            clock, _, run = heappop(due)
            if self._end_task(run, seen, enough):
                heappush(due, (clock + run.seconds, run.trial, run))
            if enough(seen.spent):
                return seen.trace(enough.costs, len(names)), seen

    def _begin(self, trial: int) -> _Run | None:
        knobs, filled = self.rival.propose(trial)
        if self.arena.file.refusals(filled):
            self.rival.ended(trial, None)
            return None
        accuracy = self.arena.world.accuracy([knobs], self.seed)[0]
        run = _Run(trial, knobs, accuracy)
        run.seconds = self.arena.world.seconds([[knobs]], 0)
        return run

    def _end_task(self, run: _Run, seen: Seen, enough: Enough) -> bool:
        """Whether the trial goes on."""
        objectives = self.arena.file.objectives
        seen.spent += run.seconds
        rows = run.accuracy[: run.task + 1]
        run.task += 1
        last = run.task == len(run.accuracy)
        sheet = {"accuracy": [tuple(row[: k + 1]) for k, row in enumerate(rows)]}
        values = measure(objectives.names, sheet)
        if not np.isfinite([row[: k + 1].sum() for k, row in enumerate(rows)]).all():
            self.rival.ended(run.trial, None)
        elif not last and self.rival.goes_on(run.trial, run.task, values):
            run.seconds = self.arena.world.seconds([[run.knobs]], run.task)
            return True
        else:
            self.rival.ended(run.trial, values)
            if last:
                seen.at.append((seen.spent, seen.ended + 1))
                enough.found([run.knobs])
        seen.ended += 1
        return False


def drawn(space: Space, pick: Pick) -> tuple[dict[str, Any], Any]:
    """The knobs by name, asked of ``pick`` one by one, and what they fill."""
    knobs: dict[str, Any] = {}

    def ask(path: Place, domain: Domain) -> Any:
        name = knob_name(path)
        knobs[name] = pick(name, domain)
        return knobs[name]

    _, filled = space.draw(ask)
    return knobs, filled


class RayOptuna:
    """Ray Tune's ``OptunaSearch`` with its defaults: TPE, and FIFO unless a scheduler is given.

    As in Ray, a trial that the scheduler stops is told to Optuna as complete.
    """

    def __init__(self, arena: Arena, seed: int, scheduler: RayAsha | None = None) -> None:
        from ray.tune.search.optuna import OptunaSearch  # noqa: PLC0415 - a second, and not always needed

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._scheduler = arena.file.space, scheduler
        objectives = arena.file.objectives
        self._found: tuple[dict[str, Any], Any] = ({}, None)
        self._searcher = OptunaSearch(
            space=self._ask,
            metric=list(objectives.names),
            mode=list(objectives.directions),
            seed=seed,
        )

    def _ask(self, trial: Any) -> None:
        self._found = drawn(self._space, lambda n, d: value(d, suggest(trial, n, d)))

    def propose(self, trial: int) -> tuple[dict[str, Any], Any]:
        with warnings.catch_warnings():
            # That a draw took a second: this machine is busy, and a virtual clock does not mind.
            warnings.filterwarnings("ignore", "Define-by-run", UserWarning)
            self._searcher.suggest(str(trial))
        if self._scheduler:
            self._scheduler.add(trial)
        return self._found

    def goes_on(self, trial: int, tasks: int, values: Mapping[str, float]) -> bool:
        return self._scheduler is None or self._scheduler.goes_on(trial, tasks, values)

    def ended(self, trial: int, values: Mapping[str, float] | None) -> None:
        self._searcher.on_trial_complete(str(trial), dict(values or {}), error=values is None)

    def close(self) -> None:
        """Nothing is open."""


class RayAsha:
    """Ray Tune's ``AsyncHyperBandScheduler``, which takes one metric: the mean of the objectives.

    Of objectives that are all to be maximised, such as plasticity and stability.
    """

    def __init__(self, tasks: int, *, factor: int, grace: int) -> None:
        from ray.tune.schedulers import AsyncHyperBandScheduler  # noqa: PLC0415 - likewise

        self._scheduler = AsyncHyperBandScheduler(
            metric="mean",
            mode="max",
            max_t=tasks,
            grace_period=grace,
            reduction_factor=factor,
        )

    def add(self, trial: int) -> None:
        self._scheduler.on_trial_add(None, SimpleNamespace(trial_id=str(trial)))

    def goes_on(self, trial: int, tasks: int, values: Mapping[str, float]) -> bool:
        told = {"training_iteration": tasks, "mean": float(np.mean(list(values.values())))}
        of = SimpleNamespace(trial_id=str(trial))
        return bool(self._scheduler.on_trial_result(None, of, told) == "CONTINUE")


class SyneMoasha:
    """Syne Tune's MOASHA, in a process of its own that is told one line and answers one line.

    ``priority``: its default, non_dominated, or linear, the mean of the objectives.
    """

    def __init__(self, arena: Arena, seed: int, *, priority: str, factor: int, grace: int) -> None:
        self._space, self._names = arena.file.space, arena.file.objectives.names
        command = [python_with_syne(), str(Path(__file__).with_name("syne_moasha.py"))]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._told(
            knobs=list(self._space.knobs()),
            metrics=list(self._names),
            max_t=len(arena.file.scenario.clock().task_ends),
            grace_period=grace,
            reduction_factor=factor,
            seed=seed,
            priority=priority,
        )

    def propose(self, trial: int) -> tuple[dict[str, Any], Any]:
        ways = self._told(suggest=trial)
        return drawn(self._space, lambda name, domain: domain.at(ways[name]))

    def goes_on(self, trial: int, tasks: int, values: Mapping[str, float]) -> bool:
        return bool(self._told(result=trial, tasks=tasks, values=dict(values)))

    def ended(self, trial: int, values: Mapping[str, float] | None) -> None:
        """Its rungs know all that they use: the last task is none of them."""

    def close(self) -> None:
        self._process.communicate()

    def _told(self, **message: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def python_with_syne() -> str:
    """Raises ``LookupError`` if nobody said where it is."""
    if SYNE not in os.environ:
        raise LookupError(f"{SYNE} is not set: see benchmarks/syne_moasha.py")
    return os.environ[SYNE]
