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
from search.faults import kind_of
from search.guards import NAMES, ForeignName, check_fingerprint, fingerprint
from search.jobs import device_of, work
from search.room import measured, room
from spaces.problems import SpecError, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ray.tune.experiment import Trial

    from search.jobs import Job, Verdict
    from search.room import Room
    from search.settings import Resources
    from search.study import Study
    from search.studyfile import StudyFile
    from trainables.runs import Record

QUIET = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # jobs stay in the folder that they were started in
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the ledger has it all
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours to handle
    "RAY_AIR_NEW_OUTPUT": "0",  # with verbose=0: no tables
}

DIED = "the worker died (killed, out of memory, or its node was lost)"

# Tune calls its searchers and schedulers with more than these need, some of it by position.
# ruff: noqa: ARG002, FBT001, FBT002


def drive(study: Study, watch: Callable[[], None], *, address: str | None = None) -> None:
    """Runs ``study`` to its end on the cluster at ``address``, or on one started here.

    Raises SpecError if no cluster answers or it can never place a job.
    """
    with cluster(address):
        resources = study.file.resources
        room = slots(resources)
        verdicts = _Verdicts.options(num_cpus=0).remote()  # type: ignore[attr-defined]
        scheduler = _JobScheduler(study, verdicts, watch)
        tuner = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(JobTrainable, verdicts=verdicts),
                {"cpu": resources.cpu, "gpu": resources.gpu},
            ),
            tune_config=tune.TuneConfig(
                search_alg=_JobSearcher(study),
                scheduler=scheduler,
                num_samples=-1,
                max_concurrent_trials=room,
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
        try:
            tuner.fit()
        except Exception:
            # Tune wraps what its scheduler raises into an error of its own, traceback and all.
            if scheduler.stopped is not None:
                raise scheduler.stopped from None
            raise


class JobTrainable(tune.Trainable):
    """A worker: each step is one task of a job's cohort."""

    _begun: bool

    def setup(self, config: dict[str, Any], verdicts: Any = None) -> None:
        self._verdicts, self._stray = verdicts, _stray(config["fingerprint"])
        self._begin(config["job"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._begin(new_config["job"])
        return True

    def step(self) -> dict[str, Any]:
        """The records of one task; or what the cohort raised, so that the actor lives on."""
        if self._stray:
            return {"records": [], "stray": self._stray}
        kept = ray.get(self._verdicts.take.remote(self._job.number)) if self._begun else None
        self._begun = True
        try:
            return {"records": self._running.send(kept)}
        except StopIteration:
            return {"records": []}
        except Exception as error:  # noqa: BLE001 - a candidate that raises fails alone
            return {"records": [], "raised": reason(error), "kind": kind_of(error)}

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


def _stray(expected: str) -> list[str]:
    """What is wrong with the code that this worker imports; nothing if it is the driver's."""
    try:
        check_fingerprint(expected)
    except ForeignName as error:
        return error.problems
    return []


class _Stateless:
    """Tune pickles what it is given; a study's state is its ledger, so there is nothing to keep."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _JobSearcher(_Stateless, Searcher):
    """Asks the study for its next job."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study, self._fingerprint = study, fingerprint()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        job = self._study.next_job()
        if job is not None:
            return {"job": job, "fingerprint": self._fingerprint}
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
    """Tells the study what jobs measured and carries its verdicts back.

    Workers never say that they are done: the study knows, and what is raised while Tune ends a
    trial by itself would be taken for the trial's own failure.
    """

    def __init__(self, study: Study, verdicts: Any, watch: Callable[[], None]) -> None:
        super().__init__()
        self._study, self._verdicts, self._watch = study, verdicts, watch
        self.stopped: SpecError | None = None

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        try:
            kept = self._tell(trial.config["job"].number, result)
        except SpecError as error:
            self.stopped = error
            raise
        self._watch()
        return self.CONTINUE if kept else self.STOP

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        # Tune does not say of what; a worker's own exceptions never come here.
        self._study.fault(trial.config["job"].number, DIED, "died")
        self._watch()

    def _tell(self, job: int, result: dict[str, Any]) -> list[int]:
        """The seats that go on, left where the worker will look for them."""
        refuse(result.get("stray", ()))
        if "raised" in result:
            self._study.fault(job, result["raised"], result["kind"])
            return []
        kept = self._study.tell(job, result["records"])
        if kept:
            ray.get(self._verdicts.put.remote(job, kept))
        return kept


def slots(resources: Resources) -> int:
    """How many jobs the cluster can hold at once. Raises SpecError if it cannot hold one."""
    have = ray.cluster_resources()
    wants = {"CPU": resources.cpu, "GPU": resources.gpu}
    room = {k: int(have.get(k, 0) / w) for k, w in wants.items() if w > 0}
    if (most := min(room.values(), default=1)) < 1:
        short = next(k for k, n in room.items() if n < 1)
        raise SpecError(
            [f"resources: a job wants {wants[short]:g} {short}, here: {have.get(short, 0):g}"]
        )
    return most


def room_there(file: StudyFile, address: str | None) -> Room:
    """What memory a job may take. Measured by a worker if only a worker sees its device."""
    if file.fold.memory != "auto" or (address is None and device_of(file) == "cpu"):
        return room(file)
    wants = file.resources
    probe = ray.remote(num_cpus=wants.cpu, num_gpus=wants.gpu, max_calls=1)(measured)
    found: Room = ray.get(probe.remote(device_of(file), wants))
    return found


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """A connection to Ray, left as it was found, with Tune quiet and out of the way."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ |= QUIET
    ours = not ray.is_initialized()
    try:
        if ours:
            _connect(address)
        yield
    finally:
        if ours:
            ray.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _connect(address: str | None) -> None:
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init(address="local", include_dashboard=False, **quiet)
        return
    root = Path(__file__).resolve().parents[2]
    modules = [str(root / package) for package in NAMES]
    try:
        ray.init(address=address, runtime_env={"py_modules": modules}, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise SpecError([f"--address {address}: {first}; {_advice()}"]) from None


def _advice() -> str:
    """Ray asks for a token by default, but does not send one to an address that is spelt out."""
    if os.environ.get("RAY_AUTH_MODE") is None:
        return "if that cluster wants a token, set RAY_AUTH_MODE=token, or use --address auto there"
    return "is the token in ~/.ray/auth_token that cluster's?"
