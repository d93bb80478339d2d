"""The losses of the strategies against their formulas."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from trainables import losses
from trainables.averagers.lawa import Lawa
from trainables.lessons import Lesson
from trainables.scenarios.base import Batch
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

RNG = torch.Generator().manual_seed(0)
X, Y = torch.randn(9, 5, generator=RNG), torch.arange(9) % 3
STUDENT, TEACHER = ({"w": torch.randn(3, 5, generator=RNG)} for _ in range(2))


def forward(weights, x, mask=None):
    return x @ weights["w"].T


def shown(companions=(), now=()):
    scalars = {name: torch.tensor(value) for name, value in dict(now).items()}
    return Lesson(forward, None, STUDENT, dict(companions), Batch(X, Y), scalars)


def test_cross_entropy_is_torchs():
    logits = 30 * torch.randn(20, 7, generator=RNG)
    y = torch.randint(7, (20,), generator=RNG)
    torch.testing.assert_close(losses.cross_entropy(logits, y), cross_entropy(logits, y))


def test_finetune():
    loss = Finetune().loss(shown())
    torch.testing.assert_close(loss, cross_entropy(forward(STUDENT, X), Y))


def test_mean_teacher():
    loss = MeanTeacher().loss(shown({"teacher": TEACHER}, {"agreement": 2.5}))
    mine, aim = forward(STUDENT, X), forward(TEACHER, X)
    expected = cross_entropy(mine, Y) + 2.5 * mse_loss(mine.softmax(-1), aim.softmax(-1))
    torch.testing.assert_close(loss, expected)


def test_a_teacher_that_is_the_student_changes_nothing():
    loss = MeanTeacher().loss(shown({"teacher": STUDENT}, {"agreement": 2.5}))
    torch.testing.assert_close(loss, cross_entropy(forward(STUDENT, X), Y))


def test_a_teacher_is_an_average_at_every_step():
    with pytest.raises(ValueError, match="teacher: a lawa is known at the ends of tasks only"):
        MeanTeacher(teacher=Lawa())
