"""The laws that every strategy keeps. That it trains a member as it would alone: test_cohorts.py."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad

from tests.contracts.cases import specs_of
from tests.contracts.lessons import lesson_for, weights_of
from trainables.strategies import Strategy

each_kind = pytest.mark.parametrize("kind", Strategy.kinds.values(), ids=Strategy.kinds)


def loss_of(spec, student, teacher):
    return spec.loss(lesson_for(spec, student, teacher))


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_loss_is_one_finite_number_and_the_same_again(kind, data):
    spec = data.draw(specs_of(kind))
    loss = loss_of(spec, weights_of(0), weights_of(1))
    assert loss.shape == () and loss.isfinite()
    assert torch.equal(loss, loss_of(spec, weights_of(0), weights_of(1)))


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_no_gradient_flows_into_the_teacher(kind, data):
    spec = data.draw(specs_of(kind))
    gradient = grad(lambda teacher: loss_of(spec, weights_of(0), teacher))(weights_of(1))
    assert not gradient["w"].any()


@each_kind
def test_the_student_is_given_a_gradient(kind):
    gradient = grad(lambda student: loss_of(kind(), student, weights_of(1)))(weights_of(0))
    assert gradient["w"].any()
