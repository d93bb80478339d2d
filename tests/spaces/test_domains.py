"""Domains: inside their ends, exact at them, and empty ones refused."""

from __future__ import annotations

from collections import Counter
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domains import Choice, Range

RANGES = st.sampled_from(
    [
        Range(-2, 3),
        Range(1e-4, 10.0, "log"),
        Range(0.9, 0.9999, "near_one"),
        Range(-5, 0.5, "near_one"),
        Range(1, 50, "linear", whole=True),
    ]
)


@given(RANGES, st.floats(0, 1))
def test_inside_both_ends(domain, u):
    assert domain.low <= domain.at(u) <= domain.high
    assert isinstance(domain.at(u), int if domain.whole else float)


@given(RANGES, st.floats(0, 1), st.floats(0, 1))
def test_rises_with_the_way(domain, u, v):
    assert domain.at(min(u, v)) <= domain.at(max(u, v))


@given(RANGES)
def test_the_ends_of_the_way_are_the_corners(domain):
    assert domain.corners() == (domain.low, domain.high)
    assert (domain.at(0), domain.at(1)) == pytest.approx(domain.corners())


def test_half_way_on_each_scale():
    assert Range(1, 3).at(0.5) == 2
    assert Range(0.01, 1, "log").at(0.5) == pytest.approx(0.1)
    assert 1 - Range(0.9, 0.999, "near_one").at(0.5) == pytest.approx(0.01)


def test_whole_numbers_and_options_have_equal_shares():
    steps = [i / 1200 for i in range(1200)]
    dice = Counter(map(Range(1, 6, "linear", whole=True).at, steps))
    assert dice == dict.fromkeys(range(1, 7), 200)
    assert Counter(map(Choice(("a", "b", "c")).at, steps)) == {0: 400, 1: 400, 2: 400}
    assert Choice(("a", "b", "c")).at(1.0) == 2


@pytest.mark.parametrize(
    "ends, scale, whole, complaint",
    [
        ((1, 1), "linear", False, "the range is empty"),
        ((2, 1), "log", False, "the range is empty"),
        ((0, 1), "log", False, "the low end must be above 0"),
        ((0, 1), "near_one", False, "the high end must be below 1"),
        ((0, inf), "linear", False, "both ends must be finite"),
        ((nan, 1), "linear", False, "both ends must be finite"),
        ((-1e308, 1e308), "linear", False, "too wide"),
        ((0, 1.5), "linear", True, "both ends must be whole numbers"),
        ((0, 2**60), "linear", True, "whole numbers are searched up to"),
    ],
)
def test_refuses(ends, scale, whole, complaint):
    with pytest.raises(ValueError, match=complaint):
        Range(*ends, scale, whole)


def test_a_range_is_shown_as_it_is_written():
    assert str(Range(0.9, 0.99, "near_one")) == "!near_one [0.9, 0.99]"
    assert str(Range(1, 5, "linear", whole=True)) == "!int [1, 5]"
    assert str(Range(0, 1)) == "!uniform [0, 1]"


def test_a_choice_needs_an_option():
    with pytest.raises(ValueError, match="at least one option"):
        Choice(())
