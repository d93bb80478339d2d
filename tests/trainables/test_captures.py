"""What is replayed from a recording is what would have been run, whatever was recorded."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from spaces.schedules.constant import Constant
from spaces.schedules.cosine import Cosine
from tests.oracles.tapes import Tape
from trainables.averagers.by_gradient_noise import ByGradientNoise
from trainables.averagers.compatible import Compatible
from trainables.averagers.ema import Ema
from trainables.averagers.mean_of_ends import MeanOfEnds
from trainables.averagers.student import Student
from trainables.bank import BLOCK
from trainables.branches.annealed import Annealed
from trainables.captures import Capture, Way, way_of
from trainables.cohort import Cohort, Member
from trainables.graphs import call_directly_
from trainables.memories.reservoir import Reservoir
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.sgd import Sgd
from trainables.pulls.at_tasks import AtTasks
from trainables.pulls.steady import Steady
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher
from trainables.terms.quadratic import Quadratic
from trainables.terms.replay import Replay

STREAM = Blobs(tasks=3, steps=2 * BLOCK + 5).stream()
LR = Cosine(start=0.1, end=0.01)
SELDOM = MeanTeacher(teacher=Ema(momentum=Constant(value=0.9), every=7, start=3))
RECIPES = {
    "plain": {"strategy": Finetune(), "optimizer": Sgd(lr=LR)},
    "teacher": {"strategy": MeanTeacher(), "optimizer": Adamw(lr=LR)},
    "teacher_at_times": {"strategy": SELDOM, "optimizer": Sgd(lr=LR)},
    "low": {"strategy": MeanTeacher(), "optimizer": Sgd(lr=LR), "precision": "bfloat16"},
    "slow_body": {"optimizer": Sgd(lr=LR), "body_rate": Cosine(start=1.0, end=0.2)},
    "anchored": {"strategy": Finetune(terms=(Quadratic(),)), "optimizer": Sgd(lr=LR)},
    "replayed": {
        "strategy": Finetune(terms=(Replay(),)),
        "memory": Reservoir(size=20, batch=4),
        "optimizer": Sgd(lr=LR),
    },
    "pulled": {
        "optimizer": Adamw(lr=LR),
        "optimizer_at_task": "reset",
        "pulls": (Steady(every=9, share=Constant(value=0.5), optimizer="reset"),),
    },
    "opened": {
        "optimizer": Sgd(lr=LR),
        "pulls": (AtTasks(at="start", share=Constant(value=0.5), toward=MeanOfEnds()),),
    },
    "live": {"strategy": MeanTeacher(teacher=ByGradientNoise()), "optimizer": Sgd(lr=LR)},
    "compatible": {"strategy": MeanTeacher(teacher=Compatible()), "optimizer": Sgd(lr=LR)},
}


def members(said, count=3):
    model = Mlp(hidden=(12,))
    averagers = (Student(), Ema(momentum=Constant(value=0.9)))
    each = [{**said, "body_rate": Constant(value=1 / (k + 1))} for k in range(count)]
    each = each if "body_rate" in said else [said] * count
    return [Member(Recipe(model=model, batch=8, **of), averagers) for of in each]


def trained(members, keeps, recorder=None):
    cohort = Cohort(members, STREAM, seed=1, way=lambda _: Way(call_directly_, recorder))
    for kept in keeps:
        cohort.train_task()
        cohort.keep(set(cohort.seats) & set(kept))
    return cohort


@pytest.mark.parametrize("said", RECIPES.values(), ids=RECIPES)
def test_a_recorded_cohort_ends_to_the_last_bit_as_one_that_is_not(said):
    tape, keeps = Tape(), (range(6), (0, 1, 5), (0, 1, 5))
    plain, taped = trained(members(said), keeps), trained(members(said), keeps, tape)
    assert torch.equal(taped.students, plain.students)
    assert torch.equal(taped.averages, plain.averages)
    # In a task two whole blocks and one of 5 steps; of each length the first is run as it is. When
    # a member is dropped the others move, and it begins anew.
    assert (tape.warmed, tape.recorded, tape.replayed) == (4, 3, 5)


def test_branches_are_recorded_as_the_trunk_is():
    said = {"optimizer": Sgd(lr=LR), "strategy": MeanTeacher(), "branch": Annealed(length=0.7)}
    tape, keeps = Tape(), (range(6), (0, 1, 5), (0, 1, 5))
    plain, taped = trained(members(said), keeps), trained(members(said), keeps, tape)
    assert torch.equal(taped.students, plain.students)
    assert torch.equal(taped.averages, plain.averages)
    assert not torch.equal(taped.deployed, taped.students)
    assert tape.replayed > 5


def test_inputs_are_copied_and_shapes_kept_apart():
    total, tape = torch.zeros(3), Tape()
    capture = Capture(tape)

    def add(given):
        total.add_(given[0][0])

    for k in range(4):
        capture(add, ((torch.full((3,), 2.0**k), None),), state=[total])
    assert total.tolist() == [15.0] * 3
    capture(add, ((torch.ones(1), None),), state=[total])
    assert total.tolist() == [16.0] * 3 and (tape.warmed, tape.recorded) == (2, 1)


def test_what_has_moved_is_recorded_anew():
    total, tape = torch.zeros(3), Tape()
    capture, moved = Capture(tape), torch.zeros(3)
    for held in (total, moved):
        for _ in range(3):
            capture(lambda given, held=held: held.add_(given[0]), (torch.ones(3),), state=[held])
    assert total.tolist() == moved.tolist() == [3.0] * 3
    assert (tape.warmed, tape.recorded) == (2, 2)


def test_what_waits_for_the_device_is_run_as_it_is_and_says_so():
    total, capture = torch.zeros(()), Capture(Tape())

    def of(given):
        total.add_(given[0] if given[0].item() > 0 else 0)

    for k in (1.0, -1.0, 2.0):
        capture(of, (torch.tensor(k),), state=[total])
    assert total.item() == 3
    assert capture.refused == "operation not permitted when stream is capturing"


def test_want_of_memory_is_not_taken_for_that():
    class Full(Tape):
        def record(self, act):
            raise torch.OutOfMemoryError("CUDA out of memory")

    capture = Capture(Full())
    capture(lambda given: None, (torch.ones(1),), state=[])
    with pytest.raises(torch.OutOfMemoryError):
        capture(lambda given: None, (torch.ones(1),), state=[])
    assert capture.refused is None


def test_a_cohort_that_nobody_holds_is_gone_at_once():
    gc.collect()
    gc.disable()
    cohort = trained(members(RECIPES["plain"], 2), [range(4)], Tape())
    gone = weakref.ref(cohort)
    del cohort
    gc.enable()
    assert gone() is None


def test_nothing_is_recorded_on_a_cpu_unless_asked_for():
    assert way_of(torch.device("cpu")).recorder is None
    assert way_of(torch.device("cuda")).recorder is not None
