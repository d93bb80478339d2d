"""Preferences: what is cut, what is short and what is outside of a region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.objectives import Objectives
from spaces.preferences import INDIFFERENT, Preferences
from spaces.specs import SpecError, load
from spaces.yamls import parse

OBJECTIVES = Objectives.of({"plasticity": "max", "forgetting": "min", "stability": "max"})
REGION = Preferences.of({"forgetting": (0.1, 0.3), "plasticity": (0.6, 0.8)})
VALUES = st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=6)


def read(text):
    data, lines = parse(text, "f.yaml")
    return load(Preferences, data, lines=lines, source="f.yaml")


def test_a_file_says_a_range_each():
    assert read("forgetting: [0.1, 0.3]\nplasticity: [0.6, 0.8]") == REGION
    assert REGION.told() == {"forgetting": [0.1, 0.3], "plasticity": [0.6, 0.8]}
    with pytest.raises(SpecError, match=r"from a lower end to a higher one, got \[0\.3, 0\.1\]"):
        read("forgetting: [0.3, 0.1]")


def test_nothing_is_better_than_the_best_of_a_range():
    cut = REGION.cut([[0.9, 0.05, 0.9], [0.5, 0.4, 0.2]], OBJECTIVES)
    np.testing.assert_array_equal(cut, [[0.8, 0.1, 0.9], [0.5, 0.4, 0.2]])


def test_how_far_it_is_from_a_range():
    values = [[0.5, 0.4, 0.0], [0.7, 0.2, 0.0], [0.9, 0.05, 0.0]]
    short = REGION.short(values, OBJECTIVES)
    expected = [[0.5, 0.5, -np.inf], [-0.5, -0.5, -np.inf], [-1.5, -1.25, -np.inf]]
    np.testing.assert_allclose(short, expected)
    np.testing.assert_allclose(REGION.outside(values, OBJECTIVES), [1.0, 0.0, 0.75])
    np.testing.assert_allclose(REGION.reference_cost(OBJECTIVES), [-0.6, 0.3, 0.0])


@given(VALUES)
def test_without_preferences_nothing_changes(values):
    np.testing.assert_array_equal(INDIFFERENT.cut(values, OBJECTIVES), values)
    assert (INDIFFERENT.short(values, OBJECTIVES) < 0).all()
    assert not INDIFFERENT.outside(values, OBJECTIVES).any()
    np.testing.assert_array_equal(INDIFFERENT.reference_cost(OBJECTIVES), OBJECTIVES.reference_cost)
