"""Goals: which outcomes constraints and preferences make better than which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.goals import Goals
from spaces.constraints import Constraints
from spaces.fronts import hypervolume
from spaces.objectives import Objectives
from spaces.preferences import Preferences

OBJECTIVES = Objectives.of({"plasticity": "max", "stability": "max"})
FREE = Goals(objectives=OBJECTIVES)
GOALS = Goals(
    objectives=OBJECTIVES,
    constraints=Constraints.of({"forgetting": "<= 0.1", "worker_seconds": "<= 60"}),
    preferences=Preferences.of({"plasticity": (0.6, 0.8)}),
)
VALUES = st.fixed_dictionaries(
    {
        "plasticity": st.floats(0, 1),
        "stability": st.floats(0, 1),
        "forgetting": st.floats(-1, 1),
        "worker_seconds": st.floats(0, 200),
    }
)
FINE = {"plasticity": 0.7, "stability": 0.5, "forgetting": 0.05, "worker_seconds": 30.0}


@given(VALUES)
def test_without_constraints_and_preferences_there_are_objectives_alone(values):
    assert FREE.feasible(values)
    assert FREE.told(values) == [values["plasticity"], values["stability"]]
    assert FREE.limits(values) == FREE.beyond_limits == {}
    assert FREE.behind(values) == 0
    assert FREE.unmet({0: values}) == ""
    costs = OBJECTIVES.costs([[values["plasticity"], values["stability"]]])
    assert FREE.served(costs) == hypervolume(costs, OBJECTIVES.reference_cost)


@given(VALUES)
def test_a_sampler_is_told_limits_that_are_kept_where_nothing_is_lacking(values):
    limits = GOALS.limits(values)
    assert list(limits) == list(GOALS.beyond_limits)
    lacks = not GOALS.feasible(values) or values["plasticity"] < 0.6
    assert (max(limits.values()) > 0) == lacks
    assert GOALS.told(values) == [min(values["plasticity"], 0.8), values["stability"]]


@given(VALUES, VALUES)
def test_on_a_rung_a_broken_budget_is_behind_every_wish(one, other):
    if one["worker_seconds"] > 60 >= other["worker_seconds"]:
        assert GOALS.behind(one) > 1 > GOALS.behind(other) >= 0


def test_on_a_rung_what_can_recover_is_not_held_against_anyone():
    assert GOALS.behind(FINE | {"forgetting": 0.9}) == 0
    assert GOALS.behind(FINE | {"worker_seconds": 90.0}) == pytest.approx(1.5)
    assert GOALS.behind(FINE | {"plasticity": 0.5}) == pytest.approx(0.5 / 1.5)


def test_the_volume_that_serves_is_of_the_region():
    served = GOALS.served(OBJECTIVES.costs([[0.9, 0.5], [0.7, 0.6], [0.5, 0.9]]))
    assert served == pytest.approx(0.2 * 0.5 + 0.1 * 0.1)


def test_it_says_what_is_unmet_and_who_is_nearest():
    assert GOALS.unmet({}) == ""
    assert GOALS.unmet({3: FINE, 4: FINE | {"forgetting": 1.0}}) == ""
    told = GOALS.unmet({3: FINE | {"forgetting": 0.5}, 4: FINE | {"forgetting": 0.125}})
    assert told == (
        "none of 2 complete candidates keeps forgetting <= 0.1, worker_seconds <= 60; "
        "the nearest is 4: forgetting 0.125 (not <= 0.1)"
    )


def test_the_nearest_to_the_region_are_those_in_it_if_any_is():
    rows = [FINE | {"plasticity": p} for p in (0.55, 0.65, 0.8, 0.9)]
    assert GOALS.nearest(rows) == [1, 2]
    assert GOALS.nearest(rows[::3]) == [0]
    assert GOALS.nearest([]) == []
    assert FREE.nearest(rows) == [0, 1, 2, 3]
    assert np.isfinite(GOALS.served(np.empty((0, 2))))
