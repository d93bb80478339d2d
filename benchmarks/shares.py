"""Where a job's time goes: training, or judging its averages and students where tasks end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from benchmarks.candidates import STUDIES, draw
from search.plans import fold
from trainables.cohort import Cohort, Member
from trainables.evaluation import ACCURACY, Judge
from trainables.scenarios.rotated_digits import RotatedDigits

if TYPE_CHECKING:
    from trainables.scenarios import Scenario
    from trainables.scenarios.base import Stream

MEMBERS = 16


def of_evaluation(
    model: str = "mlp", scenario: Scenario | None = None
) -> list[dict[str, float | int | str]]:
    """For each study one job of 16 students: seconds of the processor in training and in judging.

    On one thread, over the whole stream; a job of the same shape has gone before, to warm up.
    """
    torch.set_num_threads(1)
    stream = (scenario or RotatedDigits()).stream()
    rows = []
    for study in STUDIES:
        of_job(stream, study, model)
        training, judging, averages = of_job(stream, study, model)
        rows.append(
            {
                "study": study,
                "model": model,
                "members": MEMBERS,
                "averages": averages,
                "training_seconds": training,
                "evaluation_seconds": judging,
                "share": judging / (training + judging),
            }
        )
    return rows


def of_job(
    stream: Stream, study: str, model: str, members: int = MEMBERS
) -> tuple[float, float, int]:
    """Seconds of training and of judging so many students, and how many averages were judged."""
    cohort = _cohort(stream, study, model, members)
    judge, training, judging = Judge(cohort, stream, ACCURACY), 0.0, 0.0
    for _ in range(stream.clock.task_count):
        began = time.process_time()
        judge.train_task()
        trained = time.process_time()
        judge.scores()
        training += trained - began
        judging += time.process_time() - trained
    return training, judging, len(cohort.seats)


def _cohort(stream: Stream, study: str, model: str, count: int) -> Cohort:
    """The first job of the study's candidates with so many students."""
    each = STUDIES[study].averages * len(set(STUDIES[study].teachers))
    candidates = draw(study, model, count * each)
    crew = fold(candidates, most_members=count)[0]
    of = {c.number: c for c in candidates}
    members = [Member(of[m[0]].recipe, tuple(of[n].averager for n in m)) for m in crew]
    return Cohort(members, stream, seed=0)
