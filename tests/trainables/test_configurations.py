"""One configuration, from its file to its weights, the same as it was in a cohort."""

from __future__ import annotations

import json

import pytest
import torch

from spaces.schedules.constant import Constant
from spaces.specs import SpecError
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.configurations import Configuration, read, train
from trainables.metrics import OF_ACCURACY, measure
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs
from trainables.seeds import generator
from trainables.strategies.mean_teacher import MeanTeacher

YAML = """\
scenario: {kind: blobs, steps: 30}
recipe:
  model: {kind: mlp, hidden: [6]}
  optimizer: {kind: sgd, lr: 0.05}
  strategy: {kind: mean_teacher}
  batch: 8
averager: {kind: ema, momentum: 0.9}
seed: 3
provenance: {study: demo}
"""


def recipe(lr=0.05):
    return Recipe(
        model=Mlp(hidden=(6,)),
        optimizer=Sgd(lr=Constant(value=lr)),
        strategy=MeanTeacher(),
        batch=8,
    )


SCENARIO = Blobs(steps=30)
AVERAGER = Ema(momentum=Constant(value=0.9))
CONFIGURATION = Configuration(
    scenario=SCENARIO, recipe=recipe(), averager=AVERAGER, seed=3, provenance={"study": "demo"}
)


def test_a_file_is_read(tmp_path):
    (tmp_path / "best.yaml").write_text(YAML)
    assert read(tmp_path / "best.yaml") == CONFIGURATION


@pytest.mark.parametrize(
    "old,new,complaint",
    [
        ("seed: 3", "sed: 3", "best.yaml:8: sed: unknown key (did you mean 'seed'?)"),
        ("momentum: 0.9", "momentum: 1.9", "best.yaml:7: averager"),
        ("kind: sgd", "kind: sdg", "did you mean 'sgd'?"),
        ("{study: demo}", "{validation: [0.5]}", "validation: rows of numbers are due, got [0.5]"),
    ],
)
def test_complaints(tmp_path, old, new, complaint):
    (tmp_path / "best.yaml").write_text(YAML.replace(old, new))
    with pytest.raises(SpecError) as error:
        read(tmp_path / "best.yaml")
    assert complaint in str(error.value)


def test_a_missing_file_is_the_users_mistake(tmp_path):
    with pytest.raises(SpecError, match="there is no such file"):
        read(tmp_path / "best.yaml")


def test_it_reproduces_what_it_scored_in_a_cohort_and_its_weights_load(tmp_path):
    stream = SCENARIO.stream()
    members = [Member(recipe(lr), (Student(), AVERAGER)) for lr in (0.2, 0.05, 0.01)]
    threads = torch.get_num_threads()
    torch.set_num_threads(CONFIGURATION.threads)
    rows = [records[3].accuracy for records in run(Cohort(members, stream, seed=3), stream)]
    torch.set_num_threads(threads)

    result = train(CONFIGURATION, tmp_path)
    assert result.validation == tuple(rows) and result.failed is None
    assert result.metrics == measure(OF_ACCURACY, {"accuracy": rows})
    assert torch.get_num_threads() == threads

    network = recipe().model.build(stream.inputs, stream.classes, generator("other", 9))
    network.load_state_dict(torch.load(result.checkpoint, weights_only=True)["average"])
    for task, split in enumerate(stream.test):
        right = (network(split.x).argmax(-1) == split.y).double().mean().item()
        assert result.test[-1][task] == pytest.approx(right)
    said = json.loads((tmp_path / "metrics.json").read_text())
    assert said["test"]["metrics"] == result.test_metrics


def test_it_says_whether_the_recorded_accuracies_were_reproduced(tmp_path):
    rows = [list(row) for row in train(CONFIGURATION, tmp_path).validation]
    for recorded, said in (
        (rows, "reproduces the recorded validation metrics exactly"),
        ([[0.0], *rows[1:]], f"accuracies differ by up to {rows[0][0]:.4f}"),
        (rows[1:], "does NOT reproduce the recorded validation metrics: it has other tasks"),
    ):
        told = Configuration(
            scenario=SCENARIO,
            recipe=recipe(),
            averager=AVERAGER,
            seed=3,
            provenance={"validation": recorded},
        )
        assert said in train(told, tmp_path).report()


def test_one_that_diverges_says_so_and_writes_nothing(tmp_path):
    result = train(
        Configuration(scenario=SCENARIO, recipe=recipe(1e30), averager=AVERAGER), tmp_path / "out"
    )
    assert result.failed == "diverged: not finite after task 0" and result.checkpoint is None
    assert "diverged" in result.report() and not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a device that must be missing")
def test_a_device_that_is_not_there_is_named(tmp_path):
    wanted = Configuration(scenario=SCENARIO, recipe=recipe(), averager=AVERAGER, device="cuda")
    with pytest.raises(ValueError, match="no cuda device"):
        train(wanted, tmp_path)
