"""The losses of the strategies against their formulas."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from trainables import losses
from trainables.averagers.lawa import Lawa
from trainables.scenarios.base import Batch
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

RNG = torch.Generator().manual_seed(0)
X, Y = torch.randn(9, 5, generator=RNG), torch.arange(9) % 3
STUDENT, TEACHER = ({"w": torch.randn(3, 5, generator=RNG)} for _ in range(2))


def forward(weights, x):
    return x @ weights["w"].T


def test_cross_entropy_is_torchs():
    logits = 30 * torch.randn(20, 7, generator=RNG)
    y = torch.randint(7, (20,), generator=RNG)
    torch.testing.assert_close(losses.cross_entropy(logits, y), cross_entropy(logits, y))


def test_finetune():
    loss = Finetune().loss(forward, STUDENT, TEACHER, Batch(X, Y, None), {})
    torch.testing.assert_close(loss, cross_entropy(forward(STUDENT, X), Y))


def test_mean_teacher():
    now = {"strategy.agreement": torch.tensor(2.5)}
    loss = MeanTeacher().loss(forward, STUDENT, TEACHER, Batch(X, Y, None), now)
    mine, aim = forward(STUDENT, X), forward(TEACHER, X)
    expected = cross_entropy(mine, Y) + 2.5 * mse_loss(mine.softmax(-1), aim.softmax(-1))
    torch.testing.assert_close(loss, expected)


def test_a_teacher_that_is_the_student_changes_nothing():
    now = {"strategy.agreement": torch.tensor(2.5)}
    loss = MeanTeacher().loss(forward, STUDENT, STUDENT, Batch(X, Y, None), now)
    torch.testing.assert_close(loss, cross_entropy(forward(STUDENT, X), Y))


def test_a_teacher_is_an_average_at_every_step():
    with pytest.raises(ValueError, match="teacher: a lawa is known at the ends of tasks only"):
        MeanTeacher(teacher=Lawa())
