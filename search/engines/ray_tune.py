"""The Ray engine: one Tune trial is one job, on this machine or on a cluster.

Ray gives placement, fractional GPUs, many nodes and the reuse of actors. It decides nothing: the
searcher asks the study for jobs, the scheduler tells it the results, and the verdict travels back
through a small actor before the worker begins its next step. Nothing of a study lives in Ray, so
``Tuner.restore`` has no part here: a study is resumed from its ledger.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from search.engines.local import reason
from search.jobs import work
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ray.tune.experiment import Trial

    from search.jobs import Job, Verdict
    from search.study import Study
    from search.studyfile import Resources
    from trainables.runs import Record

PACKAGES = ("spaces", "trainables", "search", "reports")

# Tune calls its searchers and schedulers with more than these need, some of it by position.
# ruff: noqa: ARG002, FBT001, FBT002


def drive(study: Study, watch: Callable[[], None], *, address: str | None = None) -> None:
    """Runs ``study`` to its end on the cluster at ``address``, or on one started here.

    Raises SpecError if no cluster answers or it can never place a job.
    """
    with _cluster(address):
        resources = study.file.resources
        verdicts = _Verdicts.options(num_cpus=0).remote()  # type: ignore[attr-defined]
        tuner = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(JobTrainable, verdicts=verdicts),
                {"cpu": resources.cpu, "gpu": resources.gpu},
            ),
            tune_config=tune.TuneConfig(
                search_alg=_JobSearcher(study),
                scheduler=_JobScheduler(study, verdicts, watch),
                num_samples=-1,
                max_concurrent_trials=_slots(resources),
                reuse_actors=True,
                trial_dirname_creator=lambda trial: f"job-{trial.trial_id}",
            ),
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(study.directory),
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        tuner.fit()


class JobTrainable(tune.Trainable):
    """A worker: each step is one task of a job's cohort."""

    _begun: bool

    def setup(self, config: dict[str, Any], verdicts: Any = None) -> None:
        self._verdicts = verdicts
        self._begin(config["job"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config["job"])
        return True

    def step(self) -> dict[str, Any]:
        """The records of one task; or what the cohort raised, so that the actor lives on."""
        kept = ray.get(self._verdicts.take.remote(self._job.number)) if self._begun else None
        self._begun = True
        try:
            return {"records": self._running.send(kept), "done": False}
        except StopIteration:
            return {"records": [], "done": True}
        except Exception as error:  # noqa: BLE001 - a candidate that raises fails alone
            return {"records": [], "raised": reason(error), "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: a job keeps its own checkpoint beside the ledger."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: see ``save_checkpoint``."""

    def _begin(self, job: Job) -> None:
        self._job = job
        self._begun = False
        self._running: Generator[list[Record], Verdict, None] = work(job)


@ray.remote
class _Verdicts:
    """Where the scheduler leaves who goes on, and a worker finds it."""

    def __init__(self) -> None:
        self._kept: dict[int, list[int]] = {}

    def put(self, job: int, kept: list[int]) -> None:
        self._kept[job] = kept

    def take(self, job: int) -> list[int]:
        return self._kept.pop(job)


class _Stateless:
    """Tune pickles what it is given; a study's state is its ledger, so there is nothing to keep."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _JobSearcher(_Stateless, Searcher):
    """Asks the study for its next job."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study = study

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        job = self._study.next_job()
        if job is not None:
            return {"job": job}
        return Searcher.FINISHED if self._study.done else None

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """The scheduler has told the study already."""

    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a study is resumed from its ledger")


class _JobScheduler(_Stateless, FIFOScheduler):
    """Tells the study what jobs measured and carries its verdicts back."""

    def __init__(self, study: Study, verdicts: Any, watch: Callable[[], None]) -> None:
        super().__init__()
        self._study, self._verdicts, self._watch = study, verdicts, watch

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        job = trial.config["job"].number
        kept = self._study.tell(job, result["records"])
        self._watch()
        if not kept:
            return self.STOP
        ray.get(self._verdicts.put.remote(job, kept))
        return self.CONTINUE

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        job = trial.config["job"].number
        self._study.tell(job, result["records"])
        if "raised" in result:
            self._study.fault(job, result["raised"])
        self._watch()

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._study.fault(trial.config["job"].number, "", died=f"worker died: {_cause(trial)}")
        self._watch()


def _cause(trial: Trial) -> str:
    error = trial.get_error()
    return str(error).strip().splitlines()[-1] if error else "no reason given"


def _slots(resources: Resources) -> int:
    """How many jobs the cluster can hold at once. Raises SpecError if it cannot hold one."""
    have = ray.cluster_resources()
    wants = {"CPU": resources.cpu, "GPU": resources.gpu}
    room = {k: int(have.get(k, 0) / w) for k, w in wants.items() if w > 0}
    if (slots := min(room.values(), default=1)) < 1:
        short = next(k for k, n in room.items() if n < 1)
        raise SpecError(
            [f"resources: a job wants {wants[short]:g} {short}, here: {have.get(short, 0):g}"]
        )
    return slots


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """A connection to Ray, left as it was found."""
    if ray.is_initialized():
        yield
        return
    # Trials must not change the folder, write files each, draw tables or swallow Ctrl-C.
    os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    try:
        _connect(address)
        yield
    finally:
        ray.shutdown()


def _connect(address: str | None) -> None:
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init(address="local", include_dashboard=False, **quiet)
        return
    root = Path(__file__).resolve().parents[2]
    modules = [str(root / package) for package in PACKAGES]
    try:
        ray.init(address=address, runtime_env={"py_modules": modules}, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise SpecError(
            [
                f"--address {address}: no Ray cluster answers there ({first}); is `ray start` running?"
            ]
        ) from None
