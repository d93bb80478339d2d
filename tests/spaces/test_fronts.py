"""Fronts against the definitions in ``tests/oracles/fronts.py``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spaces import fronts
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


FEW = st.integers(1, 5).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.integers(0, 5).map(float))
)


@given(FEW, FEW)
def test_distances_are_by_definition(costs, front):
    assert fronts.additive_epsilon(costs, front) == pytest.approx(
        oracle.additive_epsilon(costs, front)
    )
    assert fronts.igd_plus(costs, front) == pytest.approx(oracle.igd_plus(costs, front))
    assert fronts.additive_epsilon(front, front) == fronts.igd_plus(front, front) == 0


def test_nothing_is_infinitely_far():
    nothing, front = np.array([[np.nan, 1.0]]), np.zeros((1, 2))
    assert fronts.additive_epsilon(nothing, front) == fronts.igd_plus(nothing, front) == np.inf


@given(st.lists(FEW, min_size=1, max_size=4), st.sampled_from([0.25, 1 / 3, 0.5, 0.75, 1.0]))
def test_attained_is_what_enough_runs_reach(runs, share):
    assert {tuple(p) for p in fronts.attained(runs, share)} == oracle.attained(runs, share)


def test_runs_that_found_nothing_reached_nothing():
    runs = [np.zeros((1, 2)), np.empty((0, 2)), np.array([[1.0, 0.0]])]
    assert fronts.attained(runs, 1.0).shape == (0, 2)
    assert fronts.attained(runs, 2 / 3).tolist() == [[1.0, 0.0]]
    assert fronts.attained(runs, 0.3).tolist() == [[0.0, 0.0]]
