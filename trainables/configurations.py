"""A configuration: all that one training run needs, as a file says it; and that run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from spaces.specs import Spec
from trainables import checkpoints
from trainables.averagers import Averager
from trainables.cohort import Cohort, Member
from trainables.devices import DeviceName, device_called
from trainables.metrics import METRICS, measure
from trainables.recipes import Recipe
from trainables.runs import Record, run
from trainables.scenarios import Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration(Spec):
    """``averager`` makes the deployed weights. ``seed`` decides first weights and batches.

    ``threads`` are PyTorch's on a CPU: sums are cut up by them, so that only the same number gives
    the same bits. ``provenance`` says where the configuration came from and changes nothing.
    """

    scenario: Scenario
    recipe: Recipe
    averager: Averager
    seed: Annotated[int, Field(ge=0)] = 0
    device: DeviceName = "cpu"
    threads: Annotated[int, Field(ge=1)] = 1
    provenance: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TrainResult:
    """``validation[k][i]`` and ``test[k][i]``: accuracy on task i once task k was learnt, i <= k.

    Fewer rows than tasks, no test rows and no checkpoint if the run ``failed``; the metrics are
    then NaN.
    """

    validation: tuple[tuple[float, ...], ...]
    metrics: dict[str, float]
    test: tuple[tuple[float, ...], ...]
    test_metrics: dict[str, float]
    checkpoint: Path | None
    failed: str | None = None


def train(configuration: Configuration, out: Path) -> TrainResult:
    """Trains one member alone and writes its checkpoint to ``out``.

    The only place that reads the test sets. The checkpoint (``torch.load``) holds the state dicts
    of the plain network as ``student`` and ``average``, and the metrics of both kinds of sets.

    Raises:
        ValueError: if the device is not there or the model does not fit the scenario.
    """
    stream = configuration.scenario.stream()
    member = Member(configuration.recipe, (configuration.averager,))
    device = device_called(configuration.device)
    with _threads(configuration.threads):
        cohort = Cohort([member], stream, seed=configuration.seed, device=device)
        records: list[Record] = []
        test: list[tuple[float, ...]] = []
        for (record,) in run(cohort, stream):
            records.append(record)
            (row,) = cohort.evaluate(stream.test[: cohort.task]).tolist()
            test.append(tuple(row))
    rows = tuple(record.accuracy for record in records)
    if records[-1].failed is not None:
        nan = dict.fromkeys(METRICS, float("nan"))
        return TrainResult(rows[:-1], nan, (), nan, None, failed=records[-1].failed)
    scores, test_scores = measure(METRICS, rows), measure(METRICS, test)
    checkpoints.write({**_weights(cohort), "metrics": scores, "test_metrics": test_scores}, out)
    return TrainResult(rows, scores, tuple(test), test_scores, out)


def _weights(cohort: Cohort) -> dict[str, Any]:
    """State dicts that the plain network loads."""
    views = cohort.learner.layout.views
    return {
        name: {n: v.cpu().clone() for n, v in views(rows[0]).items()}
        for name, rows in (("student", cohort.students), ("average", cohort.averages))
    }


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
