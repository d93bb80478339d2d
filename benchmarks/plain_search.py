"""Plain Ray Tune with Optuna, as a careful user would search the space of a study file.

``OptunaSearch`` (TPE, several objectives) proposes one configuration a trial, each is trained to the
end of the stream by ``plain_loop`` and reports once; FIFO, actors reused, one thread a worker and a
worker a core; no checkpoints, no loggers, no tables.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import optuna
import torch
from ray import tune
from ray.tune.search.optuna import OptunaSearch

from benchmarks import plain_loop
from search import studyfile
from search.plans import Candidate
from search.samplers.coordinates import suggest, value
from spaces.space import knob_name
from trainables.metrics import measure, sheet_of

if TYPE_CHECKING:
    from pathlib import Path

    from search.studyfile import StudyFile
    from spaces.problems import Path as DataPath
    from spaces.space import Domain
    from trainables.scenarios import Scenario
    from trainables.scenarios.base import Stream


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One configuration: its objectives, its worker's seconds, and when the driver heard of it.

    ``seconds`` are of training and evaluation; ``at`` is wall clock since the process was asked for.
    """

    values: tuple[float, ...]
    seconds: float
    at: float


def search(
    study: str, overrides: tuple[str, ...], *, trials: int, workers: int, asked: float, folder: Path
) -> list[Trial]:
    """``trials`` configurations in the order in which they ended, on the Ray that is connected.

    The study's seed is the sampler's and the training's. ``asked`` is when the process was asked
    for, in seconds of ``time.time``.
    """
    file = studyfile.read(study, overrides)
    told = Told(file, asked)
    names, modes = list(file.objectives.names), list(file.objectives.directions)
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(Searched, study=study, overrides=overrides), {"cpu": 1}
        ),
        tune_config=tune.TuneConfig(
            search_alg=OptunaSearch(
                space=told.draw,
                metric=names,
                mode=modes,
                sampler=optuna.samplers.TPESampler(seed=file.seed),
            ),
            num_samples=trials,
            max_concurrent_trials=workers,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="plain",
            storage_path=str(folder),
            verbose=0,
            callbacks=[told],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    results = tuner.fit()
    if results.num_errors:
        raise RuntimeError(f"a trial of the benchmark failed: {results.errors[0]}")
    return told.trials


class Searched(tune.Trainable):
    """One configuration; its one step is the whole stream."""

    def setup(self, config: dict[str, Any], study: str = "", overrides: Any = ()) -> None:
        torch.set_num_threads(1)
        self._file = studyfile.read(study, overrides)
        self._config = config
        # What PyTorch imports and allocates at first belongs to the start-up.
        warm = configured(self._file, config)
        next(plain_loop.train(warm, _stream(self._file.scenario), seed=self._file.seed))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True

    def step(self) -> dict[str, Any]:
        candidate, file = configured(self._file, self._config), self._file
        stream = _stream(file.scenario)
        began = time.perf_counter()
        rows = list(plain_loop.train(candidate, stream, seed=file.seed))
        seconds = time.perf_counter() - began
        found = measure(file.objectives.names, sheet_of([{"accuracy": row} for row in rows]))
        return {**found, "seconds": seconds, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: a benchmark is not resumed."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: likewise."""


class Told(tune.Callback):
    """Draws the study's space with Optuna's own trials; keeps what came of them."""

    def __init__(self, file: StudyFile, asked: float) -> None:
        self.trials: list[Trial] = []
        self._file, self._asked = file, asked

    def draw(self, trial: optuna.Trial) -> None:
        """As Ray's documentation has it: asks for what is in play, and trains nothing."""

        def pick(path: DataPath, domain: Domain) -> Any:
            return value(domain, suggest(trial, knob_name(path), domain))

        self._file.space.draw(pick)

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        del iteration, trials, trial, info
        values = tuple(float(result[name]) for name in self._file.objectives.names)
        at = time.time() - self._asked
        self.trials.append(Trial(values=values, seconds=result["seconds"], at=at))

    def __getstate__(self) -> dict[str, Any]:
        return {}


def configured(file: StudyFile, coordinates: dict[str, Any]) -> Candidate:
    """What Optuna's parameters stand for."""

    def pick(path: DataPath, domain: Domain) -> Any:
        return value(domain, coordinates[knob_name(path)])

    _, filled = file.space.draw(pick)
    return Candidate(0, *file.candidate(filled))


@lru_cache(maxsize=1)
def _stream(scenario: Scenario) -> Stream:
    return scenario.stream()
