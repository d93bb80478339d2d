"""Plain Ray Tune as a careful user would write it: one configuration a trial, actors reused.

A class trainable whose step is one task, so that a scheduler could stop it there; one thread a
worker and a worker a core; no checkpoints, no loggers, no tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from ray import tune
from ray.tune.search import Searcher

from benchmarks import plain_loop
from benchmarks.candidates import SEED
from benchmarks.feeds import Feed
from benchmarks.measurements import Peaks, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.plans import Candidate
    from trainables.scenarios import Scenario

# Ray gives what it calls these with, and in which order.
# ruff: noqa: FBT001, FBT002


def run(
    candidates: Sequence[Candidate], scenario: Scenario, *, workers: int, folder: Path
) -> Given:
    """Runs them all, on the Ray that this process is connected to."""
    given = Given(candidates, scenario, workers=workers)
    tuner = tune.Tuner(
        tune.with_resources(Plain, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=given, num_samples=-1, max_concurrent_trials=workers, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="plain",
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    tuner.fit()
    return given


class Plain(tune.Trainable):
    """One configuration; each step is one task."""

    def setup(self, config: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        self._stream = config["scenario"].stream()
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        self._left -= 1
        return {"accuracy": next(self._rows), "done": self._left == 0}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: a benchmark is not resumed."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: likewise."""

    def _begin(self, config: dict[str, Any]) -> None:
        self._left = config["tasks"]
        self._rows = plain_loop.train(config["candidate"], self._stream, seed=SEED)


class Given(Searcher):
    """Suggests what it was given, one task of it to warm up; keeps what was measured."""

    def __init__(
        self, candidates: Sequence[Candidate], scenario: Scenario, *, workers: int
    ) -> None:
        super().__init__()
        self.feed = Feed([candidates[0]], candidates, workers)
        self.rows: Rows = {c.number: [] for c in candidates}
        self.peaks = Peaks()
        self._scenario = scenario
        self._trials: dict[str, tuple[int, Candidate]] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        if (handed := self.feed.next()) is None:
            return str(Searcher.FINISHED)
        self._trials[trial_id] = ticket, candidate = handed
        tasks = self._scenario.clock().task_count if self.feed.counts(ticket) else 1
        return {"candidate": candidate, "scenario": self._scenario, "tasks": tasks}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        ticket, candidate = self._trials[trial_id]
        if self.feed.counts(ticket):
            self.rows[candidate.number].append(tuple(result["accuracy"]))
        self.peaks.look()

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        if error or result is None:
            raise RuntimeError("a trial of the benchmark failed")
        self.on_trial_result(trial_id, result)
        self.feed.done(self._trials[trial_id][0])

    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a benchmark is not resumed")

    def __getstate__(self) -> dict[str, Any]:
        return {}
