"""The laws of classifiers, and what each answers, written out for one module."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import softmax

from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.classifiers import Classifier
from trainables.classifiers.max_ensemble import MaxEnsemble
from trainables.classifiers.nearest_mean import NearestMean
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation, Judge
from trainables.learners import MASKED
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.readers import Reader
from trainables.recipes import Recipe
from trainables.scenarios.split_digits import SplitDigits

STREAM = SplitDigits(tasks=5, steps=8, train=100, validation=50).stream()
MODEL = Mlp(hidden=(12,))
SLOW = Ema(momentum=Constant(value=0.9))

each_kind = pytest.mark.parametrize("kind", Classifier.kinds.values(), ids=Classifier.kinds)


def recipe(classifier, lr=0.1):
    lr = lr if classifier.trained else 0.0
    return Recipe(model=MODEL, optimizer=Sgd(lr=Constant(value=lr)), batch=8, classifier=classifier)


def trained(classifier, *averagers, tasks=3, members=1):
    cohort = Cohort([Member(recipe(classifier), averagers)] * members, STREAM, seed=0)
    for _ in range(tasks):
        cohort.train_task()
    return cohort


def modules(cohort):
    """The student's module and that of its first average."""
    made = []
    for row in (cohort.students[0], cohort.averages[0]):
        module = MODEL.build(STREAM.inputs, STREAM.classes, torch.Generator())
        module.load_state_dict(cohort.learner.layout.views(row))
        made.append(module)
    return made


def answered(cohort, x, mask=None):
    rows, students = cohort.averages[:1], cohort.students
    reader = cohort.reader(cohort.task)
    return reader.answers(reader.judged(rows, students, [0]), x, mask)[0]


@each_kind
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_row_answers_as_it_would_alone_and_within_its_mask(kind, data):
    classifier = data.draw(specs_of(kind))
    cohort = trained(classifier, SLOW, Student(), tasks=1)
    reader = Reader(classifier, cohort.learner, STREAM.train[:2])
    noise = torch.randn(4, 1, generator=torch.Generator().manual_seed(0))
    rows = cohort.averages[:1] * noise
    judged = reader.judged(rows, cohort.students, [0, 0, 0, 0])
    mask = torch.arange(10) < 3
    x = STREAM.validation[0].x
    together = reader.answers(judged, x, mask)
    assert together.shape == (4, len(x), 10) and together.isfinite().all()
    assert (together.argmax(-1) < 3).all()
    for i in range(4):
        assert torch.equal(reader.answers(judged[i : i + 1], x, mask)[0], together[i])


@pytest.mark.parametrize("experts", ["all", "body"])
@torch.no_grad()
def test_the_more_certain_expert_answers(experts):
    cohort = trained(MaxEnsemble(experts=experts), SLOW)
    online, offline = modules(cohort)
    if experts == "body":
        offline[-1].load_state_dict(online[-1].state_dict())
    x, y = STREAM.validation[1].x, STREAM.validation[1].y
    expected = torch.maximum(softmax(online(x), -1), softmax(offline(x), -1))
    torch.testing.assert_close(answered(cohort, x).exp(), expected, atol=1e-5, rtol=0)
    right = (expected.argmax(-1) == y).double().mean()
    assert cohort.evaluate(STREAM.validation[:2])[0, 1] == right


@torch.no_grad()
def test_a_student_is_judged_without_its_average():
    cohort = trained(MaxEnsemble(), SLOW, Ema(momentum=Constant(value=0.99)), members=2)
    online, _ = modules(cohort)
    split = STREAM.validation[0]
    alone = float((online(split.x).argmax(-1) == split.y).double().mean())
    for scores in Judge(cohort, STREAM, Evaluation()).scores():
        assert scores["student_accuracy"][0] == alone


@torch.no_grad()
def test_each_average_answers_with_its_own_student():
    fast, slow = recipe(MaxEnsemble()), recipe(MaxEnsemble(), lr=0.02)
    both = Cohort([Member(fast, (SLOW,)), Member(slow, (SLOW, Student()))], STREAM, seed=0)
    alone = Cohort([Member(slow, (SLOW, Student()))], STREAM, seed=0)
    for cohort in (both, alone):
        cohort.train_task()
        cohort.train_task()
    assert torch.equal(
        both.evaluate(STREAM.validation[:2])[1:], alone.evaluate(STREAM.validation[:2])
    )


@torch.no_grad()
def test_the_nearest_mean_of_the_classes_met_answers():
    cohort = trained(NearestMean(), Student())
    body = modules(cohort)[0][:-1]
    means = {}
    for split in STREAM.train[:3]:
        for c in set(split.y.tolist()):
            means[c] = body(split.x[split.y == c]).mean(0)
    x = STREAM.validation[1].x
    found = answered(cohort, x)
    for c in range(10):
        expected = (
            -((body(x) - means[c]) ** 2).sum(-1) if c in means else torch.full((len(x),), MASKED)
        )
        torch.testing.assert_close(found[:, c], expected, atol=1e-4, rtol=1e-4)


def test_the_nearest_mean_is_refused_beside_a_head_that_is_trained():
    with pytest.raises(ValueError, match="classifier: nearest_mean answers by features that never"):
        Recipe(classifier=NearestMean())
