"""No float64 is made on a device: not every device has it."""

from __future__ import annotations

import pytest
import torch

from spaces.schedules.constant import Constant
from tests.oracles.narrow import Narrow
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation
from trainables.importances.fisher import Fisher
from trainables.memories.reservoir import Reservoir
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.split_digits import SplitDigits
from trainables.scoring import MEASURES
from trainables.snapshots import Album, Keeper, Snapshots
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher
from trainables.terms.logits import Logits
from trainables.terms.quadratic import Quadratic

LR = Constant(value=0.01)
OF_ANY_STREAM = Evaluation((*MEASURES, "ahead", "untrained", "churn"))
RECIPES = {
    "teacher": Recipe(strategy=MeanTeacher(), optimizer=Adamw(lr=LR), model=Mlp(hidden=(8,))),
    "remembering": Recipe(
        strategy=Finetune(terms=(Logits(), Quadratic(importance=Fisher(samples=8)))),
        memory=Reservoir(size=10, batch=4),
        optimizer=Sgd(lr=LR),
        model=Mlp(hidden=(8,)),
    ),
}


def runs(recipe, stream, tmp_path, monkeypatch):
    averagers = (Student(), Ema(momentum=Constant(value=0.9)))
    keeper = Keeper(Album(Snapshots(every=3), tmp_path), stream.clock)
    members = [Member(recipe, averagers)] * 2
    cohort = Cohort(members, stream, seed=0, observe=keeper.observe)
    with Narrow(monkeypatch):
        records = [r for of in run(cohort, stream, OF_ANY_STREAM) for r in of]
    assert len(records) == 4 * stream.clock.task_count
    assert all(r.failed is None and set(MEASURES) <= set(r.scores) for r in records)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_run_and_all_that_it_measures(recipe, tmp_path, monkeypatch):
    runs(recipe, Blobs(tasks=2, steps=4).stream(), tmp_path, monkeypatch)


def test_convolutions(tmp_path, monkeypatch):
    recipe = Recipe(model=Cnn(), batch=4)
    runs(recipe, SplitDigits(steps=2).stream(), tmp_path, monkeypatch)


def test_what_is_looked_for_is_seen(monkeypatch):
    x = torch.ones(3)
    with Narrow(monkeypatch):
        assert x.sum().cpu().double().item() == 3
        with pytest.raises(AssertionError, match="float64 on a device that has none"):
            x.sum(dtype=torch.float64)
