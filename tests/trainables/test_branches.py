"""Branches against plain copies, and the trunk, which knows nothing of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import parameters_to_vector

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from tests.oracles import branching
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.bank import BLOCK
from trainables.branches import Branch
from trainables.branches.annealed import Annealed
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation
from trainables.footprints import parameters
from trainables.importances.synaptic_intelligence import SynapticIntelligence
from trainables.memories.reservoir import Reservoir
from trainables.merges.interpolation import Interpolation
from trainables.metrics.curves import points
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher
from trainables.strategies.replay import Replay
from trainables.terms.logits import Logits
from trainables.terms.quadratic import Quadratic

SCENARIO = Blobs(tasks=3, steps=BLOCK + 15)
STREAM = SCENARIO.stream()
MODEL = Mlp(hidden=(10,))
TRUNK = Ema(momentum=Constant(value=0.0))
SLOW = Ema(momentum=Constant(value=0.9))


def number(value):
    return Constant(value=value)


def branched(length, ratio=0.1, fall="exponential", **rest):
    branch = Annealed(length=length, ratio=ratio, fall=fall)
    return Recipe(**{"model": MODEL, "optimizer": Sgd(lr=number(0.1)), "branch": branch} | rest)


def ends(recipe, *averagers):
    """At the end of each task: the trunk, what is deployed as the student, the averages."""
    cohort = Cohort([Member(recipe, averagers or (Student(),))], STREAM, seed=3)
    for _ in range(3):
        cohort.train_task()
        averages = torch.stack([flat(cohort, row) for row in cohort.averages])
        yield flat(cohort, cohort.students[0]), flat(cohort, cohort.deployed[0]), averages


def flat(cohort, row):
    """A row without its padding, in the order of the network's parameters."""
    return parameters_to_vector(cohort.learner.layout.views(row).values()).clone()


SGD = partial(torch.optim.SGD, momentum=0.9)
ADAMW = partial(torch.optim.AdamW, betas=(0.9, 0.999))


@pytest.mark.parametrize(
    "optimizer,plain,lr",
    [(Sgd(lr=number(0.05)), SGD, 0.05), (Adamw(lr=number(0.01)), ADAMW, 0.01)],
    ids=["sgd", "adamw"],
)
@pytest.mark.parametrize(
    "length,ratio,fall", [(0.5, 0.01, "exponential"), (0.2, 0.0, "linear"), (1.0, 0.1, "cosine")]
)
def test_trunk_and_branch_are_plain_copies_trained_apart(optimizer, plain, lr, length, ratio, fall):
    lessons = MeanTeacher(agreement=number(2.0), teacher=Ema(momentum=number(0.8)))
    recipe = branched(length, ratio, fall, optimizer=optimizer, strategy=lessons)
    expected = branching.train(recipe, STREAM, plain, seed=3, lr=lr)
    for (trunk, branch, averages), plainly in zip(ends(recipe), expected, strict=True):
        close = partial(torch.testing.assert_close, rtol=1e-3, atol=1e-4)
        close(trunk, plainly[0])
        close(branch, plainly[1])
        assert torch.equal(averages[0], branch)
        assert (branch - trunk).abs().max() > 2e-3


@pytest.mark.parametrize(
    "rest",
    [
        {"strategy": MeanTeacher(), "optimizer": Adamw(lr=number(0.01))},
        {"strategy": Replay(terms=(Logits(),)), "memory": Reservoir(size=30)},
        {"strategy": Finetune(terms=(Quadratic(importance=SynapticIntelligence()),))},
    ],
    ids=["teacher", "stored-logits", "path-integrals"],
)
def test_the_trunk_is_as_without_branches_to_the_last_bit(rest):
    with_them = branched(0.7, **rest)
    without = list(ends(replace(with_them, branch=None), TRUNK, SLOW))
    for (trunk, branch, averages), plain in zip(ends(with_them, TRUNK, SLOW), without, strict=True):
        assert torch.equal(trunk, plain[0]) and torch.equal(averages, plain[2])
        assert not torch.equal(trunk, branch)


def test_a_branch_that_is_not_slowed_is_the_trunk():
    for trunk, branch, averages in ends(branched(0.3, ratio=1.0), Student(), TRUNK):
        assert torch.equal(trunk, branch) and torch.equal(*averages)


def test_the_student_is_the_branch_and_every_average_is_of_the_trunk():
    for trunk, branch, averages in ends(branched(0.5, ratio=0.0), Student(), TRUNK, SLOW):
        assert torch.equal(averages[0], branch) and not torch.equal(branch, trunk)
        torch.testing.assert_close(averages[1], trunk)


def test_what_is_measured_is_what_is_deployed():
    recipe = branched(0.8, ratio=0.0, optimizer=Sgd(lr=number(1.5)))
    cohort = Cohort([Member(recipe, (Student(), TRUNK))], STREAM, seed=3, every=10)
    looked = Evaluation(("churn",), every=10)
    before = ()
    for own, trunk in run(cohort, STREAM, looked):
        mine, theirs = (points(r.scores["curve"], r.task) for r in (own, trunk))
        assert own.accuracy == own.scores["student_accuracy"] == trunk.scores["student_accuracy"]
        assert mine[1:-1] == theirs[1:-1]
        assert own.accuracy == tuple(mine[-1][1:])
        assert tuple(mine[0][1:-1]) == before
        before = own.accuracy
    assert own.accuracy != trunk.accuracy


@given(branch=st.one_of(*map(specs_of, Branch.kinds.values())), steps=st.integers(1, 40))
def test_rates_are_1_outside_of_branches_and_never_below_0(branch, steps):
    rates = branch.rates(Clock(steps=3 * steps, task_starts=(0, steps, 2 * steps)))
    assert rates.shape == (3 * steps,) and rates.dtype == np.float64
    assert np.isfinite(rates).all() and (rates >= 0).all()
    for task in np.split(rates, 3):
        below = task < 1
        assert not below.any() or below[below.argmax() :].all()


def test_a_branch_is_kept_where_it_is_deployed():
    plain, recipe = branched(0.5, branch=None), branched(0.5)
    count = parameters(plain, Student(), SCENARIO)
    assert parameters(recipe, Student(), SCENARIO) == 2 * count
    assert parameters(recipe, SLOW, SCENARIO) == parameters(plain, SLOW, SCENARIO) == 2 * count


def test_a_merge_would_not_change_what_is_deployed():
    with pytest.raises(ValueError, match=r"branch: what is deployed .* and merge would change"):
        branched(0.5, merge=Interpolation())
