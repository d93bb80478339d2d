"""Pulls, merges and live averages: a cohort against the same method written out plainly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.oracles import feedback as plain
from trainables.averagers import coefficients
from trainables.averagers.by_drift import ByDrift
from trainables.averagers.by_gradient_noise import ByGradientNoise
from trainables.averagers.compatible import Compatible
from trainables.averagers.ema import Ema
from trainables.averagers.initial import Initial
from trainables.averagers.live import between, row_sums
from trainables.averagers.mean_of_ends import MeanOfEnds
from trainables.averagers.merged import Merged
from trainables.averagers.previous import Previous
from trainables.averagers.slow import Slow
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.configurations import Configuration
from trainables.merges.interpolation import Interpolation
from trainables.merges.mean import Mean
from trainables.merges.task_arithmetic import TaskArithmetic
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.pulls.at_tasks import AtTasks
from trainables.pulls.sfa import Sfa
from trainables.pulls.steady import Steady
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.seeds import generator
from trainables.strategies.mean_teacher import MeanTeacher

SCENARIO = Blobs(tasks=3, steps=30)
STREAM = SCENARIO.stream()
MODEL, SEED = Mlp(hidden=(12,)), plain.SEED


def c(value):
    return Constant(value=value)


PLAIN = Recipe(
    model=MODEL, optimizer=Sgd(lr=c(plain.LR), momentum=c(plain.MOMENTUM)), batch=plain.BATCH
)


def pulled(*pulls):
    return replace(PLAIN, pulls=pulls)


def taught(teacher):
    return replace(PLAIN, strategy=MeanTeacher(teacher=teacher, agreement=c(plain.AGREEMENT)))


EMA, SLOW = Ema(momentum=c(0.9)), Slow(share=c(0.5), every=6)
METHODS = {
    "sfa": (pulled(Sfa(beta=c(0.3), share=0.2)), lambda: plain.Sfa(0.2, 0.3)),
    "coma": (replace(PLAIN, merge=Interpolation(share=c(0.4))), lambda: plain.Coma(0.4)),
    "mos": (
        pulled(Steady(toward=Previous(), share=c(0.02), every=1)),
        lambda: plain.EachStep(0.02),
    ),
    "switch-ema": (
        pulled(Steady(toward=EMA, every=7)),
        lambda: plain.SwitchEma(0.9, 7, resets=False),
    ),
    "hare-and-tortoise": (
        pulled(Steady(toward=EMA, every=7, optimizer="reset")),
        lambda: plain.SwitchEma(0.9, 7, resets=True),
    ),
    "lookahead": (
        pulled(Steady(toward=SLOW, every=6)),
        lambda: plain.Lookahead(6, 0.5, resets=False),
    ),
    "lookahead-reset": (
        pulled(Steady(toward=SLOW, every=6, optimizer="reset")),
        lambda: plain.Lookahead(6, 0.5, resets=True),
    ),
    "deployed-ema": (pulled(AtTasks(toward=EMA)), lambda: plain.DeployedEma(0.9)),
    "begun-by-ema": (pulled(AtTasks(toward=EMA, at="start")), lambda: plain.BegunByEma(0.9)),
    "begun-by-ema-reset": (
        pulled(AtTasks(toward=EMA, at="start", optimizer="reset")),
        lambda: plain.BegunByEma(0.9, resets=True),
    ),
    "from-initial": (pulled(AtTasks(toward=Initial(), at="start")), plain.FromInitial),
    "from-mean": (pulled(AtTasks(toward=MeanOfEnds(), at="start")), plain.FromMeanOfEnds),
    "optimizer-reset": (replace(PLAIN, optimizer_at_task="reset"), plain.Forgetful),
    "ctp": (taught(Compatible(first=c(0.95), later=c(0.8))), lambda: plain.Ctp(0.95, 0.8)),
    "by-gradient-noise": (
        taught(ByGradientNoise(low=c(0.5), high=c(0.95), smoothing=c(0.7))),
        lambda: plain.ByGradientNoise(0.5, 0.95, 0.7),
    ),
    "by-drift": (
        taught(ByDrift(low=c(0.5), high=c(0.95), smoothing=c(0.7), steps=c(4.0))),
        lambda: plain.ByDrift(0.5, 0.95, 0.7, 4.0),
    ),
}


def plainly(method):
    model = MODEL.build(STREAM.inputs, STREAM.classes, generator("weights", SEED))
    return plain.train(method, STREAM, model)


def cohort_of(recipe, *averagers):
    """The students after each task [3, P], and the averages."""
    cohort = Cohort([Member(recipe, (Student(), *averagers))], STREAM, seed=SEED)
    ends = []
    for _ in range(3):
        cohort.train_task()
        ends.append([flat(cohort, row) for row in cohort.averages])
    return ends


def flat(cohort, row):
    return parameters_to_vector(cohort.learner.layout.views(row).values())


@pytest.mark.parametrize("recipe,method", METHODS.values(), ids=METHODS)
def test_trains_what_the_plain_loop_does(recipe, method):
    ends = cohort_of(recipe)
    for mine, expected in zip(ends, plainly(method()), strict=True):
        torch.testing.assert_close(mine[0], expected, rtol=1e-4, atol=1e-4)
    # And not what it would without.
    assert not torch.allclose(ends[-1][0], plainly(plain.Method())[-1], atol=1e-3)


def test_sfa_of_one_merge_a_task_is_coma():
    once = cohort_of(pulled(Sfa(beta=c(0.6), share=1.0)))
    closed = cohort_of(replace(PLAIN, merge=Interpolation(share=c(0.4))))
    for one, other in zip(once, closed, strict=True):
        torch.testing.assert_close(one[0], other[0], rtol=1e-5, atol=1e-6)


def test_what_sfa_keeps_of_a_task_of_even_steps():
    clock = Clock(steps=40, task_starts=(0, 20))
    b, at, moved = Sfa(beta=c(0.3), share=0.25).table(clock)[20:], 0.0, 0.0
    for pull in b:
        at += 1.0
        at -= pull * at
    moved = 5 * 0.7 * (1 - 0.7**4) / 0.3  # D (1 - beta) (1 - (1 - beta)^K) / beta
    assert at == pytest.approx(moved)
    # Its twin: a decay toward the anchor at every step.
    assert math.log(1 - 0.3) / 0.25 == pytest.approx(20 * math.log((1 - 0.3) ** (1 / 5)))


def test_task_arithmetic_of_tasks_learnt_apart():
    recipe = pulled(AtTasks(toward=Initial(), at="start"))
    ends = plainly(plain.FromInitial())
    first = MODEL.build(STREAM.inputs, STREAM.classes, generator("weights", SEED))
    initial = parameters_to_vector(first.parameters()).detach()
    open_loop = Merged(by=TaskArithmetic(scale=c(0.4)))
    for task, (student, merged) in enumerate(cohort_of(recipe, open_loop)):
        torch.testing.assert_close(student, ends[task], rtol=1e-4, atol=1e-4)
        expected = initial + 0.4 * sum(end - initial for end in ends[: task + 1])
        torch.testing.assert_close(merged, expected, rtol=1e-4, atol=1e-4)


def test_a_merge_that_is_followed_leaves_the_student_alone():
    ends = plainly(plain.Method())
    for task, (student, merged, table) in enumerate(
        cohort_of(PLAIN, Merged(by=Mean()), MeanOfEnds())
    ):
        torch.testing.assert_close(student, ends[task], rtol=1e-4, atol=1e-4)
        mean = torch.stack(ends[: task + 1]).mean(0)
        torch.testing.assert_close(merged, mean, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(table, mean, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("later", [0.0, 0.8, 1.0])
def test_the_compatible_model_that_is_followed_is_a_convex_combination(later):
    clock = Clock(steps=23, task_starts=(0, 9, 10))
    students = np.random.default_rng(0).normal(size=(23, 4))
    averager, m = Compatible(first=c(0.9), later=c(later)), students[0]
    for task, (start, end) in enumerate(zip(clock.task_starts, clock.task_ends, strict=True)):
        previous = students[start - 1]
        m = m if task == 0 else previous
        for t in range(start, end):
            if task == 0:
                m = m if t == 0 else 0.9 * m + 0.1 * students[t]
            else:
                m = later * m + (1 - later) / 2 * (students[t] + previous)
        shares = coefficients(averager.weights_at(clock, task))
        np.testing.assert_allclose(shares @ students[:end], m, atol=1e-12)


def test_slow_weights_that_are_followed_begin_with_the_first_student():
    clock = Clock(steps=13)
    w = Slow(share=c(0.5), every=5).weights(clock)
    assert w.tolist() == [1, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0]


@pytest.mark.parametrize("kind", [ByDrift, ByGradientNoise])
def test_what_depends_on_measurements_cannot_be_followed(kind):
    told = f"{kind().kind}: depends on what is measured"
    with pytest.raises(ValueError, match=told):
        Cohort([Member(PLAIN, (kind(),))], STREAM, seed=0)
    with pytest.raises(ValueError, match=told):
        Configuration(scenario=SCENARIO, recipe=PLAIN, averager=kind())


def test_horizons_go_from_that_of_low_to_that_of_high():
    low, high = torch.full((3, 1), 0.5), torch.full((3, 1), 0.9)
    taken = between(low, high, torch.tensor([[0.0], [0.5], [1.0]]))
    torch.testing.assert_close(1 / taken, torch.tensor([[2.0], [6.0], [10.0]]))
    frozen = between(low, torch.ones(3, 1), torch.tensor([[0.0], [0.5], [1.0]]))
    assert frozen.flatten().tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("width", [1, 2, 3, 16, 48, 1008])
def test_sums_of_rows_are_the_same_bits_in_any_company(width):
    rows = torch.randn(5, width, generator=torch.Generator().manual_seed(0))
    sums = row_sums(rows)
    torch.testing.assert_close(sums, rows.double().sum(1, keepdim=True).float())
    for m in range(5):
        assert torch.equal(row_sums(rows[m : m + 1]), sums[m : m + 1])
