"""The world in closed form, and the way along a domain that it is told in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.worlds import Arc, luck
from spaces.domains import Choice, Range
from spaces.fronts import hypervolume

LR = Range(1e-3, 1, "log")
KNOBS = {"recipe.lr": LR, "averagers.momentum": Range(0.9, 0.999, "near_one")}
ARC = Arc(knobs=KNOBS, trade="recipe.lr", tasks=4)


def _ends(triangles):
    """Plasticity and stability [n, 2], from their definitions."""
    diagonal = np.array([[a[k][k] for k in range(len(a))] for a in triangles])
    return np.stack([diagonal.mean(axis=1), triangles[:, -1, :-1].mean(axis=1)], axis=1)


@pytest.mark.parametrize(
    "domain", [LR, KNOBS["averagers.momentum"], Range(2, 7), Range(1, 50, whole=True)]
)
@given(u=st.floats(0, 1))
def test_the_way_leads_back_to_its_value(domain, u):
    assert domain.at(domain.way(domain.at(u))) == pytest.approx(domain.at(u), rel=1e-9)


def test_an_option_is_on_its_own_share_of_the_way():
    domain = Choice(("a", "b", "c"))
    assert [domain.at(domain.way(k)) for k in range(3)] == [0, 1, 2]


def test_the_best_candidates_are_a_quarter_circle():
    best = KNOBS["averagers.momentum"].at(0.5)
    candidates = [
        {"recipe.lr": LR.at(u), "averagers.momentum": best} for u in np.linspace(0, 1, 2001)
    ]
    ends = _ends(ARC.accuracy(candidates, seed=0))
    assert np.allclose((ends**2).sum(axis=1), 1)
    assert hypervolume(-ends, np.zeros(2)) == pytest.approx(math.pi / 4, abs=1e-3)


def test_knobs_off_the_middle_waste():
    wasteful = {"recipe.lr": 1e-3, "averagers.momentum": 0.9}
    assert np.nanmax(ARC.accuracy([wasteful], seed=0)) == 0


def test_what_is_not_yet_learnt_is_not_known():
    (triangle,) = ARC.accuracy([{"recipe.lr": 0.1}], seed=0)
    assert np.array_equal(np.isnan(triangle), np.triu(np.ones((4, 4), dtype=bool), 1))


def test_chance_belongs_to_knobs_and_seed():
    knobs, others = {"a": 1, "b": 0.5}, {"a": 1, "b": 0.25}
    assert np.array_equal(luck(knobs, 3), luck(dict(reversed(knobs.items())), 3))
    assert not np.any(luck(knobs, 3) == luck(knobs, 4))
    assert not np.any(luck(knobs, 3) == luck(others, 3))
    drawn = np.stack([luck(knobs, seed) for seed in range(500)])
    assert abs(drawn.mean()) < 0.05
    assert abs(drawn.std() - 1) < 0.05


def test_a_job_takes_what_its_students_and_averages_take():
    knobs = {"recipe.lr": 0.1}
    assert ARC.seconds([[knobs], [knobs, knobs]], task=1) == pytest.approx(1 + 2 * 0.1 + 3 * 0.01)


@pytest.mark.parametrize("fault", [{"trade": "nowhere"}, {"tasks": 1}])
def test_a_world_without_a_trade_off_is_refused(fault):
    with pytest.raises(ValueError, match="trade"):
        Arc(**{"knobs": KNOBS, "trade": "recipe.lr"} | fault)
