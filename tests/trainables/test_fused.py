"""Fused steps against the same steps kernel by kernel, and which steps they are."""

from __future__ import annotations

import pytest
import torch

from spaces.schedules.constant import Constant
from tests.trainables.test_cohort import AVERAGERS, BLOBS, OPTIMIZERS, STRATEGIES, TEACHER
from trainables import products
from trainables.averagers.by_drift import ByDrift
from trainables.averagers.ema import Ema
from trainables.cohort import Cohort, Member
from trainables.fused import Fused
from trainables.gates.magnitude import Magnitude
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.pulls.steady import Steady
from trainables.recipes import Recipe
from trainables.refreshing import Refreshing
from trainables.strategies.mean_teacher import MeanTeacher

if not products.compiles():
    pytest.skip("routines need AVX-512 and llvmlite", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("threads")


def recipe(**changes):
    settings = {"model": Mlp(hidden=(16,)), "optimizer": Sgd(lr=Constant(value=0.1)), "batch": 8}
    return Recipe(**settings | changes)


def trained(*recipes):
    cohort = Cohort([Member(one, AVERAGERS) for one in recipes], BLOBS, seed=0)
    for _ in range(BLOBS.clock.task_count):
        cohort.train_task()
    return cohort


def is_fused(cohort):
    """Whether all steps it has taken were."""
    fused = cohort._stepper._fused
    return fused is not None and None not in fused._known.values() and bool(fused._known)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_they_are_the_steps_kernel_by_kernel(optimizer, strategy, monkeypatch):
    slow = Constant(value=0.5)
    recipes = [recipe(optimizer=optimizer, strategy=strategy, body_rate=r) for r in (slow, slow)]
    fused = trained(*recipes)
    assert is_fused(fused)
    monkeypatch.setattr(Fused, "of", lambda *_: None)
    plain = trained(*recipes)
    assert not is_fused(plain)
    torch.testing.assert_close(fused.averages, plain.averages, rtol=1e-4, atol=1e-5)


def test_whoever_is_slowed_beside_it_a_member_moves_as_alone():
    """Where nobody is slowed, or no teacher moves, other kernels are run."""
    free, slowed = (recipe(strategy=TEACHER, body_rate=Constant(value=r)) for r in (1.0, 0.25))
    seldom = recipe(
        strategy=MeanTeacher(teacher=Ema(momentum=Constant(value=0.9), every=5, start=3)),
        body_rate=Constant(value=1.0),
    )
    together = trained(free, slowed, seldom)
    assert len(together._stepper._fused._known) == 1 < len(trained(seldom)._stepper._fused._known)
    for i, one in enumerate((free, slowed, seldom)):
        alone = trained(one)
        assert is_fused(alone)
        assert torch.equal(together.students[i], alone.students[0])
        assert torch.equal(together.averages[3 * i : 3 * i + 3], alone.averages)


def test_what_one_member_loses_the_others_keep():
    wild = recipe(optimizer=Sgd(lr=Constant(value=1e30)), strategy=TEACHER)
    tame = recipe(strategy=TEACHER)
    cohort, alone = trained(wild, tame), trained(tame)
    assert is_fused(cohort) and not cohort.students[0].isfinite().all()
    assert torch.equal(cohort.students[1], alone.students[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": MeanTeacher(teacher=ByDrift())},
        {"gate": Magnitude()},
        {"pulls": (Steady(),)},
        {"refresh": Refreshing()},
    ],
    ids=["a teacher that looks at gradients", "a gate", "a pull", "unlearning"],
)
def test_steps_with_something_between_are_not(changes):
    assert Cohort([Member(recipe(**changes), AVERAGERS)], BLOBS, seed=0)._stepper._fused is None


def test_on_several_threads_they_are_not():
    torch.set_num_threads(2)  # put back by the fixture
    assert Cohort([Member(recipe(), AVERAGERS)], BLOBS, seed=0)._stepper._fused is None
