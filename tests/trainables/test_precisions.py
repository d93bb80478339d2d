"""bfloat16 is where networks compute, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from spaces.schedules.constant import Constant
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.precisions import computed_in
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.split_digits import SplitDigits
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

pytestmark = pytest.mark.usefixtures("threads")

AVERAGERS = (Student(), Ema(momentum=Constant(value=0.9)))
STREAM = Blobs(tasks=2, steps=40).stream()


def recipe(precision, lr=0.05, **said):
    optimizer = Sgd(lr=Constant(value=lr))
    return Recipe(
        model=Mlp(hidden=(32,)), optimizer=optimizer, batch=16, precision=precision, **said
    )


def trained(members, stream=STREAM):
    cohort = Cohort(members, stream, seed=0)
    while cohort.task < stream.clock.task_count:
        cohort.train_task()
    return cohort


def floats(state):
    """Every tensor of floats in a saved state, by name."""
    if isinstance(state, dict):
        return [t for inner in state.values() for t in floats(inner)]
    return [state] if isinstance(state, torch.Tensor) and state.is_floating_point() else []


@pytest.mark.parametrize("strategy", [Finetune(), MeanTeacher()], ids=["plain", "teacher"])
def test_all_that_is_kept_stays_float32_and_near_what_float32_trains(strategy):
    low, full = (
        trained([Member(recipe(precision, strategy=strategy), AVERAGERS)] * 2)
        for precision in ("bfloat16", "float32")
    )
    assert {t.dtype for t in floats(low.state_dict())} == {torch.float32}
    apart = (low.averages - full.averages).norm() / full.averages.norm()
    assert 1e-5 < apart < 0.05
    scored = [c.evaluate(STREAM.validation[:2]) for c in (low, full)]
    torch.testing.assert_close(*scored, atol=0.1, rtol=0)


def test_a_member_is_to_the_last_bit_as_it_would_be_alone():
    members = [
        Member(recipe("bfloat16", lr, strategy=MeanTeacher()), AVERAGERS)
        for lr in (0.01, 0.05, 0.2, 0.3)
    ]
    together = trained(members).averages.view(4, 2, -1)
    for member, averages in zip(members, together, strict=True):
        assert torch.equal(trained([member]).averages, averages)


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_convolutions_in_a_stack_and_in_a_loop(norm):
    stream = SplitDigits(steps=3).stream()
    member = Member(Recipe(model=Cnn(norm=norm), batch=8, precision="bfloat16"), AVERAGERS)
    cohort = trained([member] * 2, stream)
    assert cohort.averages.isfinite().all() and cohort.averages.dtype == torch.float32


def test_gradients_are_those_of_rounded_factors():
    """One layer by hand: forwards x and w in 8 bits, backwards the slope of the logits too."""
    rng = torch.Generator().manual_seed(0)
    network = nn.Linear(6, 3)
    x, y = torch.randn(16, 6, generator=rng), torch.arange(16) % 3
    weights = {n: torch.randn(p.shape, generator=rng) for n, p in network.named_parameters()}
    given = {n: w.clone().requires_grad_() for n, w in weights.items()}

    def of(weights, x):
        return functional_call(network, weights, (x,))

    logits = computed_in("bfloat16", of)(given, x)
    cross_entropy(logits, y).backward()

    def rounded(t):
        return t.bfloat16().float()

    by_hand = rounded(rounded(x) @ rounded(weights["weight"]).T + rounded(weights["bias"]))
    torch.testing.assert_close(logits, by_hand, atol=0.02, rtol=2**-7)
    slope = rounded((logits.softmax(-1) - nn.functional.one_hot(y, 3)) / 16)
    expected = {"weight": rounded(slope.T @ rounded(x)), "bias": rounded(slope.sum(0))}
    for name, value in expected.items():
        assert given[name].grad.dtype == torch.float32
        torch.testing.assert_close(given[name].grad, value.detach(), atol=1e-3, rtol=2**-7)
        assert torch.equal(given[name].grad, rounded(given[name].grad))


def test_float32_is_left_as_it_is_and_no_cohort_mixes_them():
    def of(weights, x):
        return x

    assert computed_in("float32", of) is of
    mixed = [Member(recipe(p), AVERAGERS) for p in ("float32", "bfloat16")]
    with pytest.raises(ValueError, match="may differ in schedules"):
        Cohort(mixed, STREAM, seed=0)
    assert replace(recipe("bfloat16"), precision="float32") == recipe("float32")
