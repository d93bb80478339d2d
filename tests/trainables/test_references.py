"""The reference of intransigence against a plain loop on all tasks at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.oracles import training
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation
from trainables.metrics import measure
from trainables.metrics.base import sheet_of
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.references import joint_accuracy
from trainables.runs import run
from trainables.scenarios.base import Split
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.split_digits import SplitDigits

STREAM = Blobs(tasks=3, steps=20).stream()
MODEL = Mlp(hidden=(16,))


def at_once(stream, task):
    """Tasks 0 to ``task`` as one, validated on the last."""
    seen = stream.train[: task + 1]
    return replace(
        stream,
        clock=Clock(steps=stream.clock.task_ends[task]),
        train=(Split(torch.cat([s.x for s in seen]), torch.cat([s.y for s in seen])),),
        validation=(stream.validation[task],),
        test=(stream.test[task],),
    )


@pytest.mark.parametrize("task", [0, 1, 2])
def test_it_is_what_the_plain_loop_learns_of_all_tasks_at_once(task):
    recipe = Recipe(model=MODEL, batch=8)
    plain = training.train(recipe, Student(), at_once(STREAM, task), seed=3)
    candidate = replace(recipe, optimizer=Sgd(lr=Constant(value=0.5)))
    assert joint_accuracy(candidate, STREAM, task, seed=3) == plain.accuracy[0][0]


def test_a_task_is_asked_among_its_own_classes_where_these_are_told():
    stream = SplitDigits(steps=20, incremental="task").stream()
    told = joint_accuracy(Recipe(model=MODEL), stream, 4, seed=0)
    blind = joint_accuracy(Recipe(model=MODEL), replace(stream, masks=None), 4, seed=0)
    assert told > 0.5 and told >= blind


def test_what_is_known_is_known_of_the_same_validation_data_only():
    recipe = Recipe(model=MODEL, batch=8)
    wrong = replace(
        STREAM, validation=tuple(Split(s.x, (s.y + 1) % STREAM.classes) for s in STREAM.validation)
    )
    right, none = (joint_accuracy(recipe, s, 2, seed=4) for s in (STREAM, wrong))
    assert right == training.train(recipe, Student(), at_once(STREAM, 2), seed=4).accuracy[0][0]
    assert none == training.train(recipe, Student(), at_once(wrong, 2), seed=4).accuracy[0][0]
    assert none < right


def test_intransigence_is_its_distance_from_what_was_learnt():
    slow = Recipe(model=MODEL, optimizer=Sgd(lr=Constant(value=1e-6)))
    cohort = Cohort([Member(slow, (Student(),))], STREAM, seed=0)
    records = [r for (r,) in run(cohort, STREAM, Evaluation(("joint",)))]
    sheet = sheet_of([r.scores for r in records])
    joint = [joint_accuracy(slow, STREAM, task, seed=0) for task in range(3)]
    expected = sum(j - r.accuracy[-1] for j, r in zip(joint, records, strict=True)) / 3
    found = measure(["intransigence", "student_intransigence"], sheet)
    assert found["intransigence"] == pytest.approx(expected)
    assert found["student_intransigence"] == pytest.approx(expected)
    assert expected > 0.1
