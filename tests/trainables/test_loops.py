"""Models that do not stack: one member after the other, by the same laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from spaces.schedules.constant import Constant
from tests.oracles import training
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.averagers.uniform import Uniform
from trainables.cohort import Cohort, Member
from trainables.learners import Learner, stacks
from trainables.models import Model
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.scenarios.base import Shape
from trainables.scenarios.digits import SHAPE
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.stacks import layout_of
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

STREAM = RotatedDigits(tasks=3, steps=12).stream()
AVERAGERS = (Ema(momentum=Constant(value=0.9)), Uniform(every=5), Student())
TEACHER = MeanTeacher(teacher=Ema(momentum=Constant(value=0.8)), agreement=Constant(value=3.0))
NORMED = Cnn(channels=(4, 6), norm="batch")
# The biases before a batch normalisation have no slope but rounding, which a small eps would blow up.
ADAMW = Adamw(lr=Constant(value=0.01), eps=Constant(value=0.001))
SGD = Sgd(lr=Constant(value=0.05), decay=Constant(value=0.01))


class Gate(nn.Module):
    """Asks for a value."""

    def forward(self, x):
        return x if x.mean() < 1e9 else -x


@dataclass(frozen=True, kw_only=True, slots=True)
class Gated(Model):
    stacks: ClassVar[bool] = False
    kind: Literal["gated"] = "gated"

    def network(self, inputs, classes):
        return nn.Sequential(Gate(), *Mlp(hidden=(16,)).network(inputs, classes))


def trained(members, *, seed=0):
    cohort, rows = Cohort(members, STREAM, seed=seed), []
    for task in range(3):
        cohort.train_task()
        rows.append(cohort.evaluate(STREAM.validation[: task + 1]).tolist())
    return cohort, [[row[seat] for row in rows] for seat in cohort.seats]


def recipe(lr=0.05, model=NORMED):
    return Recipe(model=model, optimizer=Sgd(lr=Constant(value=lr)), strategy=TEACHER, batch=8)


def test_what_stacks_and_what_does_not():
    assert stacks(Mlp(), Shape((5,), 3)) and stacks(Cnn(), SHAPE)
    assert not stacks(NORMED, SHAPE) and not stacks(Gated(), SHAPE)


@pytest.mark.parametrize("strategy", [Finetune(), TEACHER], ids=["finetune", "mean_teacher"])
@pytest.mark.parametrize("optimizer", [SGD, ADAMW], ids=["sgd", "adamw"])
def test_batch_normalisation_goes_as_in_the_plain_loop(strategy, optimizer):
    normed = Recipe(model=NORMED, optimizer=optimizer, strategy=strategy, batch=8)
    cohort, accuracy = trained([Member(normed, AVERAGERS)] * 2)
    for seat, averager in enumerate(AVERAGERS):
        plain = training.train(normed, averager, STREAM, seed=0)
        views = cohort.learner.layout.views(cohort.averages[seat])
        torch.testing.assert_close(
            parameters_to_vector(views.values()), plain.average.float(), rtol=1e-3, atol=1e-4
        )
        for row, expected in zip(accuracy[seat], plain.accuracy, strict=True):
            assert row == pytest.approx(expected, abs=0.01)


def test_running_statistics_are_averaged_as_weights_are():
    seen = []
    cohort = Cohort(
        [Member(recipe(), AVERAGERS)], STREAM, seed=0, observe=lambda _, s: seen.append(s.clone())
    )
    cohort.train_task()
    name = "0.1.running_var"
    students = torch.cat(seen, 1)[0, ::5]  # the uniform mean's
    mean = torch.stack([cohort.learner.layout.views(s)[name] for s in students]).mean(0)
    torch.testing.assert_close(cohort.learner.layout.views(cohort.averages[1])[name], mean)
    assert not torch.allclose(mean, torch.ones(4))


@pytest.mark.parametrize("model", [NORMED, Gated()], ids=["normed", "gated"])
def test_each_is_as_it_would_be_alone_pruned_and_resumed(model):
    members = [Member(recipe(lr, model), AVERAGERS) for lr in (0.01, 0.03, 0.1)]
    cohort, resumed = (Cohort(members, STREAM, seed=0) for _ in range(2))
    cohort.train_task()
    cohort.keep([1, 7, 8])
    resumed.load_state_dict(cohort.state_dict())
    for one in (cohort, resumed):
        one.train_task()
        one.train_task()
    assert torch.equal(cohort.averages, resumed.averages)
    for i, seat in enumerate(cohort.seats):
        alone = trained([Member(members[seat // 3].recipe, (AVERAGERS[seat % 3],))])[0]
        assert torch.equal(cohort.averages[i], alone.averages[0])
        splits = STREAM.validation
        assert torch.equal(cohort.evaluate(splits)[i], alone.evaluate(splits)[0])


def test_a_loop_does_what_a_stack_does():
    one, other = (
        trained([Member(recipe(model=m), AVERAGERS)] * 2) for m in (Gated(), Mlp(hidden=(16,)))
    )
    torch.testing.assert_close(one[0].averages, other[0].averages, rtol=1e-4, atol=1e-5)


def test_the_network_itself_is_left_as_it_was_made():
    cohort = Cohort([Member(recipe(), AVERAGERS)], STREAM, seed=0)
    before = {n: t.clone() for n, t in cohort.learner.network.state_dict().items()}
    cohort.train_task()
    cohort.evaluate(STREAM.validation)
    after = cohort.learner.network.state_dict()
    assert all(torch.equal(after[n], t) for n, t in before.items())


def test_statistics_over_all_batches_are_refused():
    with pytest.raises(ValueError, match="needs a momentum, got momentum=None"):
        layout_of(nn.Sequential(nn.BatchNorm1d(3, momentum=None)))


def test_a_learner_of_a_stack_has_nothing_to_carry():
    at = Learner(Recipe(), STREAM, seed=0).layout.carried
    assert at.start == at.stop
