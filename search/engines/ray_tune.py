"""The Ray engine: one Tune trial is one job, on this machine or on a cluster.

Ray gives placement, fractional GPUs, many nodes and the reuse of actors. It decides nothing: the
searcher asks the study for jobs, the scheduler tells it the results, and the verdict travels back
through a small actor before the worker begins its next step. Nothing of a study lives in Ray, so
``Tuner.restore`` has no part here: a study is resumed from its ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from search.engines.clusters import cluster, slots
from search.engines.workers import JobTrainable, Verdicts
from search.guards import fingerprint
from search.jobs import device_of
from search.room import measured, room
from spaces.problems import SpecError, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ray.tune.experiment import Trial

    from search.room import Room
    from search.study import Study
    from search.studyfile import StudyFile

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
        verdicts = Verdicts.options(num_cpus=0).remote()  # type: ignore[attr-defined]
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


def room_there(file: StudyFile, address: str | None) -> Room:
    """What memory a job may take. Measured by a worker if only a worker sees its device."""
    if file.fold.memory != "auto" or (address is None and device_of(file) == "cpu"):
        return room(file)
    wants = file.resources
    probe = ray.remote(num_cpus=wants.cpu, num_gpus=wants.gpu, max_calls=1)(measured)
    found: Room = ray.get(probe.remote(device_of(file), wants))
    return found
