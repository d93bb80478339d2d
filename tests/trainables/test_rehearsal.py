"""Methods that rehearse, over whole streams, against loops of plain PyTorch (tests/oracles/rehearsal.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from spaces.schedules.linear import Linear
from tests.oracles import rehearsal as oracle
from trainables.averagers.consolidated import Consolidated
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.memories.class_reservoir import ClassReservoir
from trainables.memories.reservoir import Reservoir
from trainables.memories.task_rings import TaskRings
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.pulls.at_tasks import AtTasks
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.scenarios.split_digits import SplitDigits
from trainables.strategies.balanced import Balanced
from trainables.strategies.cls_er import ClsEr
from trainables.strategies.er_ace import ErAce
from trainables.strategies.finetune import Finetune
from trainables.strategies.kc_ema import KcEma
from trainables.strategies.replay import Replay
from trainables.terms.logits import Logits
from trainables.terms.replay import Replay as OfLabels

BLOBS = Blobs(tasks=3, steps=32, dims=6, train=48, validation=24).stream()
EPOCHS_OF_A_TASK = 32 * 8 / 48
RISING = Linear(start=0.2, end=1.5)
LR = Linear(start=0.05, end=0.01)


DER = Finetune(terms=(Logits(weight=RISING),))
DERPP = Finetune(terms=(Logits(weight=RISING), OfLabels(weight=RISING)))
FOLLOWED = (Student(),)
ONCE = Reservoir(size=20, batch=6, offered="once")
ALWAYS = Reservoir(size=20, batch=6)
CLASSES = ClassReservoir(size=15, batch=4)
NORMED = Cnn(channels=(4, 6), norm="batch")


def recipe(strategy, memory=ONCE):
    return Recipe(
        model=Mlp(hidden=(12,)),
        optimizer=Sgd(lr=LR),
        strategy=strategy,
        batch=8,
        memory=memory,
    )


def trained(*recipes, stream=BLOBS, averagers=FOLLOWED):
    cohort = Cohort([Member(r, averagers) for r in recipes], stream, seed=3)
    for _ in range(stream.clock.task_count):
        cohort.train_task()
    return cohort


def agree(cohort, plain, row=0):
    close(cohort.students[row], plain.student)


def close(row, plain):
    torch.testing.assert_close(row[: len(plain)], plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "strategy,memory",
    [(Replay(), CLASSES), (ErAce(), ALWAYS), (DER, ONCE), (DER, ALWAYS), (DERPP, ALWAYS)],
    ids=["er", "er_ace", "der", "der-always", "derpp"],
)
def test_rehearsal_is_as_in_a_plain_loop(strategy, memory):
    assert EPOCHS_OF_A_TASK > 5, "samples are met again"
    one = recipe(strategy, memory)
    agree(trained(one), oracle.train(one, BLOBS, seed=3, draws=strategy.draws()))


@pytest.mark.parametrize("strategy", [Replay(), Finetune(terms=(Logits(), OfLabels()))])
def test_a_sample_shown_again_is_answered_in_its_own_tasks_classes(strategy):
    stream = SplitDigits(tasks=5, steps=12, incremental="task").stream()
    assert stream.masks is not None
    one = recipe(strategy, TaskRings(size=30, batch=6))
    plain = oracle.train(one, stream, seed=3, draws=strategy.draws())
    agree(trained(one, stream=stream), plain)


@pytest.mark.parametrize("strategy", [Replay(), ErAce(), DER], ids=["er", "er_ace", "der"])
def test_batches_are_normalised_as_in_a_plain_loop(strategy):
    stream = RotatedDigits(tasks=2, steps=12).stream()
    one = Recipe(
        model=NORMED,
        strategy=strategy,
        batch=8,
        memory=Reservoir(size=20, batch=8),
    )
    agree(trained(one, one, stream=stream), oracle.train(one, stream, seed=3), row=1)


def test_cls_er_is_as_in_a_plain_loop():
    one = recipe(ClsEr(weight=RISING))
    cohort = trained(one, averagers=(one.strategy.stable, one.strategy.plastic))
    plain = oracle.train(one, BLOBS, seed=3, teachers=("plastic", "stable"))
    agree(cohort, plain)
    for row, name in zip(cohort.averages, ("stable", "plastic"), strict=True):
        close(row, plain.teachers[name])  # so that the stable model can be deployed


@pytest.mark.parametrize("incremental", ["class", "task"])
def test_fitting_and_distillation_are_balanced_as_in_a_plain_loop(incremental):
    stream = SplitDigits(tasks=5, steps=12, incremental=incremental).stream()
    one = recipe(Balanced(temperature=RISING), TaskRings(size=30, batch=6))
    plain = oracle.train(one, stream, seed=3, teachers=("teacher",))
    cohort = trained(one, stream=stream)
    agree(cohort, plain)
    unbalanced = trained(recipe(Replay(), one.memory), stream=stream)
    assert (cohort.students - unbalanced.students).abs().max() > 1e-2


@pytest.mark.parametrize("restart", [None, "teacher"])
def test_kc_ema_is_as_in_a_plain_loop(restart):
    strategy = KcEma(
        teacher=Consolidated(momentum=Constant(value=0.7), freeze=10, every=4, unit="steps"),
        label=Constant(value=0.4),
        temperature=Constant(value=2.0),
        dusted=RISING,
        sigma=Constant(value=0.3),
    )
    begins = () if restart is None else (AtTasks(toward=strategy.teacher, at="start"),)
    one = replace(recipe(strategy, None), pulls=begins)
    cohort = trained(one, averagers=(strategy.teacher,))
    plain = oracle.train(one, BLOBS, seed=3, teachers=("teacher",), restart=restart)
    agree(cohort, plain)
    close(cohort.averages[0], plain.teachers["teacher"])


def test_what_was_answered_when_a_sample_was_met_is_stored_for_each_member():
    slow, fast = (
        Recipe(
            model=Mlp(hidden=(12,)),
            optimizer=Sgd(lr=Constant(value=lr)),
            strategy=Finetune(terms=(Logits(weight=Constant(value=0.7)),)),
            batch=8,
            memory=Reservoir(size=20, batch=6),
        )
        for lr in (0.002, 0.05)
    )
    cohort = trained(slow, fast)
    for row, one in enumerate((slow, fast)):
        agree(cohort, oracle.train(one, BLOBS, seed=3), row)


def test_a_consolidated_average_acts_late_in_a_task_and_now_and_then():
    clock = Clock(steps=30, task_starts=(0, 10, 20))
    w = Consolidated(momentum=Constant(value=0.75), freeze=3, every=2, unit="steps").weights(clock)
    assert w[:10].tolist() == [1] * 10
    assert w[10:20].tolist() == [0, 0, 0, 0, 0.25, 0, 0.25, 0, 0.25, 0] == w[20:].tolist()


def test_a_consolidated_average_may_be_told_in_shares_of_a_task():
    clock = Clock(steps=30, task_starts=(0, 10))
    w = Consolidated(freeze=0.5, every=0.25, unit="tasks").weights(clock)
    assert w[10:].nonzero()[0].tolist() == [14, 19]
    assert w[[24, 29]].tolist() == pytest.approx([0.1, 0.1])
