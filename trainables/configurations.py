"""A configuration: all that one training run needs, as a file says it; and that run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import torch
from pydantic import Field

from spaces.files import text_of
from spaces.specs import Spec, load
from spaces.yamls import parse
from trainables import checkpoints
from trainables.averagers import Averager, refuse_unfollowed
from trainables.cohort import Cohort, Member
from trainables.devices import DeviceName, device_called
from trainables.evaluation import Looks
from trainables.metrics import OF_ACCURACY, measure
from trainables.recipes import Recipe
from trainables.runs import Record, run
from trainables.scenarios import Scenario

Table: TypeAlias = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration(Spec):
    """``averager`` makes the deployed weights. ``seed`` decides first weights and batches.

    ``threads`` are PyTorch's on a CPU: sums are cut up by them, so that only the same number gives
    the same bits. ``evaluate`` is the study's, by which averages round in the last bit; here
    metrics are of accuracies at the ends of tasks all the same. ``provenance`` says where the configuration came from and changes nothing.
    """

    scenario: Scenario
    recipe: Recipe
    averager: Averager
    seed: Annotated[int, Field(ge=0)] = 0
    device: DeviceName = "cpu"
    threads: Annotated[int, Field(ge=1)] = 1
    evaluate: Looks | None = None
    provenance: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        refuse_unfollowed(self.averager)
        rows = (self.provenance or {}).get("validation", [])
        if not (isinstance(rows, list) and all(map(_is_row, rows))):
            raise ValueError(f"provenance.validation: rows of numbers are due, got {rows!r:.60}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """``validation[k][i]`` and ``test[k][i]``: accuracy on task i once task k was learnt, i <= k.

    If the run ``failed`` there are fewer rows than tasks, every metric is NaN and there is no
    checkpoint. ``recorded`` are the validation rows that the configuration says to be its own.
    """

    validation: Table
    test: Table
    metrics: dict[str, float]
    test_metrics: dict[str, float]
    checkpoint: Path | None
    recorded: Table | None = None
    failed: str | None = None

    def report(self) -> str:
        """A few lines to read: each metric on both kinds of sets, and where the weights are."""
        lines = [f"{'':<30}{'validation':>12}{'test':>12}"]
        for name, value in self.metrics.items():
            lines.append(f"{name:<30}{value:>12.4f}{self.test_metrics[name]:>12.4f}")
        if self.recorded is not None:
            lines.append(_compared(self.recorded, self.validation))
        lines.append(self.failed or f"weights: {self.checkpoint}")
        return "\n".join(lines)


def read(path: Path) -> Configuration:
    """The configuration in a YAML file.

    Raises:
        SpecError: if there is no such file, or for everything wrong in it, with its line.
    """
    data, lines = parse(text_of(path), str(path))
    return load(Configuration, data, lines=lines, source=str(path))


def train(configuration: Configuration, out: Path) -> TrainResult:
    """Trains one member alone; writes ``weights.pt`` and ``metrics.json`` to the folder ``out``.

    The only place that reads the test sets. The weights (``torch.load``) are state dicts of the
    plain network: ``student``, and ``average``, which the metrics are of.

    Raises:
        ValueError: if the device is not there or the model does not fit the scenario.
    """
    device = device_called(configuration.device)
    stream = configuration.scenario.stream()
    member = Member(configuration.recipe, (configuration.averager,))
    with _threads(configuration.threads):
        every = configuration.evaluate.every if configuration.evaluate else None
        cohort = Cohort([member], stream, seed=configuration.seed, device=device, every=every)
        records: list[Record] = []
        test: list[tuple[float, ...]] = []
        for (record,) in run(cohort, stream):
            records.append(record)
            test += map(tuple, cohort.evaluate(stream.test[: cohort.task]).tolist())
    failed = records[-1].failed
    well = len(records) if failed is None else len(records) - 1
    validation, tested = tuple(r.accuracy for r in records[:well]), tuple(test[:well])
    nan = dict.fromkeys(OF_ACCURACY, math.nan)
    return TrainResult(
        validation=validation,
        test=tested,
        metrics=nan if failed else _measured(validation),
        test_metrics=nan if failed else _measured(tested),
        checkpoint=None if failed else _write(cohort, validation, tested, out),
        recorded=_recorded(configuration),
        failed=failed,
    )


def _measured(rows: Table) -> dict[str, float]:
    return measure(OF_ACCURACY, {"accuracy": rows})


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and all(isinstance(value, int | float) for value in row)


def _compared(recorded: Table, validation: Table) -> str:
    if recorded == validation:
        return "reproduces the recorded validation metrics exactly"
    if list(map(len, recorded)) != list(map(len, validation)):
        return "does NOT reproduce the recorded validation metrics: it has other tasks"
    pairs = zip(chain(*recorded), chain(*validation), strict=True)
    most = max(abs(a - b) for a, b in pairs)
    return (
        f"does NOT reproduce the recorded validation metrics: accuracies differ by up to {most:.4f} "
        "(another machine, device, number of threads or version rounds otherwise)"
    )


def _recorded(configuration: Configuration) -> Table | None:
    rows = (configuration.provenance or {}).get("validation")
    return None if rows is None else tuple(tuple(row) for row in rows)


def _write(cohort: Cohort, validation: Table, test: Table, out: Path) -> Path:
    """Weights that the plain network loads, and every accuracy and metric."""
    views = cohort.learner.layout.views
    weights = {
        name: {n: v.cpu().clone() for n, v in views(rows[0]).items()}
        for name, rows in (("student", cohort.deployed), ("average", cohort.averages))
    }
    checkpoints.write(weights, out / "weights.pt")
    rows = {"validation": validation, "test": test}
    said = {name: {"rows": r, "metrics": _measured(r)} for name, r in rows.items()}
    (out / "metrics.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return out / "weights.pt"


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
