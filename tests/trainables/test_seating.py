"""An average that is its member's own teacher is kept once, and is what it would be if followed."""

from __future__ import annotations

import pytest
import torch

from spaces.schedules.constant import Constant
from tests.oracles import training
from trainables.averagers.ema import Ema
from trainables.averagers.restarted import Restarted
from trainables.averagers.student import Student
from trainables.bank import BLOCK
from trainables.cohort import Cohort, Member
from trainables.merges.mean import Mean
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.pulls.steady import Steady
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.strategies.mean_teacher import MeanTeacher

STREAM = Blobs(tasks=3, steps=BLOCK + 7).stream()
TEACHER, OTHER = (Ema(momentum=Constant(value=m)) for m in (0.9, 0.8))


def recipe(teacher=TEACHER, **more):
    strategy, optimizer = MeanTeacher(teacher=teacher), Sgd(lr=Constant(value=0.05))
    return Recipe(model=Mlp(hidden=(12,)), batch=8, strategy=strategy, optimizer=optimizer, **more)


def trained(member):
    cohort = Cohort([member], STREAM, seed=3)
    for _ in range(3):
        cohort.train_task()
    return cohort


def test_a_teacher_that_is_deployed_is_the_teacher_and_takes_no_row_of_the_bank():
    cohort = trained(Member(recipe(), (TEACHER,)))
    assert cohort._bank.averages.shape[1] == 0 and cohort._stepper.slots.shape[1] < BLOCK
    plain = training.train(recipe(), TEACHER, STREAM, seed=3)
    row = cohort.learner.layout.row(cohort.learner.layout.views(cohort.averages[0]))
    length = len(plain.average)
    torch.testing.assert_close(row[:length], plain.average.float(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(row[:length], plain.teacher, rtol=1e-4, atol=1e-5)
    followed = trained(Member(recipe(), (Student(), OTHER)))
    assert followed._bank.averages.shape[1] == 2


def test_who_looks_at_every_step_sees_them_all_and_changes_nothing():
    seen = []
    watched = Cohort(
        [Member(recipe(), (TEACHER,))], STREAM, seed=3, observe=lambda _, s: seen.append(s.shape[1])
    )
    for _ in range(3):
        watched.train_task()
    assert sum(seen) == STREAM.clock.steps
    alone = trained(Member(recipe(), (TEACHER,)))
    assert torch.equal(watched.averages, alone.averages)
    assert torch.equal(watched.students, alone.students)


def test_each_seat_is_as_alone_beside_teachers_and_what_is_equal_to_them_so_far():
    again = Restarted(averager=TEACHER)
    members = [
        Member(recipe(), (again, TEACHER, Student())),
        Member(recipe(OTHER), (OTHER,)),
        Member(recipe(OTHER), (TEACHER, OTHER)),
    ]
    seats = [Member(m.recipe, (a,)) for m in members for a in m.averagers]
    alone = [Cohort([one], STREAM, seed=3) for one in seats]
    cohort = Cohort(members, STREAM, seed=3)
    for kept in ({0, 1, 3, 4, 5}, {0, 1, 5}, {1}):
        cohort.train_task()
        rows, places = cohort.distinct()
        for at, seat in enumerate(cohort.seats):
            while alone[seat].task < cohort.task:
                alone[seat].train_task()
            assert torch.equal(cohort.averages[at], alone[seat].averages[0])
            assert torch.equal(rows[places[at]], alone[seat].averages[0])
        saved = cohort.state_dict()
        cohort = Cohort(members, STREAM, seed=3)
        cohort.load_state_dict(saved)
        cohort.keep(kept)


@pytest.mark.parametrize(
    "more",
    [{"pulls": (Steady(every=9, share=Constant(value=0.5)),)}, {"merge": Mean()}],
    ids=["pulled", "merged"],
)
def test_a_teacher_that_is_shown_another_student_is_not_what_is_deployed(more):
    cohort = trained(Member(recipe(**more), (TEACHER,)))
    students = []

    def observe(block, stack):
        students.extend(stack[0].clone().unbind())

    plain = Cohort([Member(recipe(**more), (Student(),))], STREAM, seed=3, observe=observe)
    for _ in range(3):
        plain.train_task()
    average = students[0].double()
    for student in students[1:]:
        average = average.lerp(student.double(), 0.1)
    torch.testing.assert_close(cohort.averages[0], average.float(), rtol=1e-4, atol=1e-5)
