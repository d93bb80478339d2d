"""Ray's workers: one trains a job, task by task, and fetches who goes on before each next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.guards import ForeignName, check_fingerprint
from search.imports import uncollected

with uncollected():  # a worker's start
    import ray
    from ray import tune

    from search.engines.local import reason
    from search.faults import kind_of
    from search.jobs import work

if TYPE_CHECKING:
    from collections.abc import Generator

    from search.jobs import Job, Verdict
    from trainables.runs import Record


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
class Verdicts:
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
