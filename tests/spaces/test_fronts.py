"""Fronts against the definitions in ``tests/oracles/fronts.py``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.fronts import contributions, hypervolume, non_dominated, ranks
from tests.oracles import fronts as oracle

# Few values, so that ties and duplicates are common.
VALUES = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 1.0 + 1e-12, 2.0, float("nan")])


@st.composite
def fields(draw):
    objectives = draw(st.integers(2, 3))
    rows = draw(st.lists(st.tuples(*[VALUES] * objectives), max_size=7))
    return rows, np.array(rows, dtype=float).reshape(-1, objectives), np.full(objectives, 1.5)


@settings(deadline=None, max_examples=200)
@given(fields())
def test_as_the_definitions_say(field):
    rows, costs, reference = field
    np.testing.assert_array_equal(non_dominated(costs), np.array(oracle.non_dominated(rows), bool))
    np.testing.assert_array_equal(ranks(costs), oracle.ranks(rows))
    np.testing.assert_allclose(hypervolume(costs, reference), oracle.hypervolume(rows, reference))
    np.testing.assert_allclose(
        contributions(costs, reference), oracle.contributions(rows, reference), atol=1e-9
    )


@settings(deadline=None, max_examples=60)
@given(fields(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(field, random):
    _, costs, reference = field
    order = random.sample(range(len(costs)), len(costs))
    np.testing.assert_array_equal(non_dominated(costs)[order], non_dominated(costs[order]))
    np.testing.assert_array_equal(ranks(costs)[order], ranks(costs[order]))
    np.testing.assert_allclose(
        contributions(costs, reference)[order], contributions(costs[order], reference), atol=1e-12
    )


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_measured_is_no_front(rows):
    costs, reference = np.full((rows, 2), np.nan), np.zeros(2)
    assert not non_dominated(costs).any() and not contributions(costs, reference).any()
    assert hypervolume(costs, reference) == 0
    assert (ranks(costs) == rows).all()


def test_infinite_costs_are_compared_like_any_other():
    costs = np.array([[np.inf, 0.0], [np.inf, 1.0], [1.0, 1.0]])
    assert non_dominated(costs).tolist() == [True, False, True]
    assert ranks(costs).tolist() == [0, 1, 0]
