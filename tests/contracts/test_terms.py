"""The laws that every term keeps. That it trains a member as it would alone: test_cohorts.py."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad

from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from tests.contracts.lessons import lesson_for, weights_of
from trainables.terms import Term

each_kind = pytest.mark.parametrize("kind", Term.kinds.values(), ids=Term.kinds)


def value_of(spec, student, companion):
    return spec.value(lesson_for(spec, student, companion))


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_value_is_one_finite_number_and_the_same_again(kind, data):
    spec = data.draw(specs_of(kind))
    value = value_of(spec, weights_of(0), weights_of(1))
    assert value.shape == () and value.isfinite()
    assert torch.equal(value, value_of(spec, weights_of(0), weights_of(1)))


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_no_gradient_flows_into_a_companion(kind, data):
    spec = data.draw(specs_of(kind))
    gradient = grad(lambda other: value_of(spec, weights_of(0), other))(weights_of(1))
    assert not gradient["w"].any()


@each_kind
def test_the_student_is_given_a_gradient(kind):
    gradient = grad(lambda student: value_of(kind(), student, weights_of(1)))(weights_of(0))
    assert gradient["w"].any()


@each_kind
def test_a_term_of_no_weight_adds_nothing(kind):
    value = value_of(kind(weight=Constant(value=0.0)), weights_of(0), weights_of(1))
    assert value == 0
