"""What the driver of a study costs: asking the sampler, folding, the ledger. No training."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from search import studyfile
from search.events import Opened
from search.history import History
from search.ledger import Ledger
from search.study import Study
from trainables.runs import Record

if TYPE_CHECKING:
    from search.jobs import Job

STUDY = "digits-frontier"


def cost(candidates: int) -> dict[str, float | int | str]:
    """Milliseconds a candidate, over a whole study that is told made-up accuracies."""
    overrides = (f"budget.candidates={candidates}", "rungs=null")
    file = studyfile.read(STUDY, overrides)
    opened = Opened(name=file.name, text=file.text, overrides=overrides, source=file.source)
    rng, tasks = np.random.default_rng(0), file.scenario.clock().task_count
    asking = telling = 0.0
    with TemporaryDirectory() as folder, Ledger.create(Path(folder, "study"), opened) as ledger:
        study = Study(file, ledger, History(opened), time.monotonic)
        while True:
            began = time.perf_counter()
            job = study.next_job()
            asked = time.perf_counter()
            asking += asked - began
            if job is None:
                break
            _tell(study, job, tasks, rng)
            telling += time.perf_counter() - asked
    return {
        "study": STUDY,
        "sampler": "tpe",
        "candidates": candidates,
        "asking_ms": 1e3 * asking / candidates,
        "telling_ms": 1e3 * telling / candidates,
    }


def _tell(study: Study, job: Job, tasks: int, rng: np.random.Generator) -> None:
    for task in range(tasks):
        records = [
            Record(
                seat=seat,
                task=task,
                step=task + 1,
                scores={"accuracy": tuple(rng.random(task + 1).tolist())},
                seconds=0.0,
            )
            for seat in job.alive
        ]
        study.tell(job.number, records)
