"""Constraints: how bounds are read, and what is beyond them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.constraints import UNCONSTRAINED, Bound, Constraints
from spaces.specs import SpecError, load
from spaces.yamls import parse

NUMBER = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))


def read(text):
    data, lines = parse(text, "f.yaml")
    return load(Constraints, data, lines=lines, source="f.yaml")


def test_a_file_says_them_as_text():
    found = read('forgetting: "<= 0.1"\naccuracy: " >=5e-1"')
    assert found == Constraints.of({"forgetting": "<= 0.1", "accuracy": ">= 0.5"})
    assert found.told() == {"forgetting": "<= 0.1", "accuracy": ">= 0.5"}
    assert str(found) == "forgetting <= 0.1, accuracy >= 0.5"
    assert Constraints.of(found.told()) == found
    assert not UNCONSTRAINED
    assert UNCONSTRAINED.feasible({})


@pytest.mark.parametrize("said", ['"< 0.1"', '"<= x"', '"0.1"', '"<= nan"', "0.1", "{side: <=}"])
def test_nothing_else_is_a_bound(said):
    with pytest.raises(SpecError, match=r"f\.yaml:1: forgetting: '<= x' or '>= x'"):
        read(f"forgetting: {said}")


@given(NUMBER, NUMBER, st.sampled_from(["<=", ">="]))
def test_a_bound_is_kept_where_nothing_is_beyond_it(bound, value, side):
    kept = value <= bound if side == "<=" else value >= bound
    assert (Bound(side=side, value=bound).excess(value) <= 0) == kept


def test_what_is_beyond_is_a_share_of_the_bound():
    found = Constraints.of({"forgetting": "<= 0.1", "seconds": "<= 60", "gain": ">= 0"})
    values = {"forgetting": 0.15, "seconds": 90.0, "gain": -0.25}
    assert found.excesses(values) == pytest.approx(
        {"forgetting": 0.5, "seconds": 0.5, "gain": 0.25}
    )
    assert found.violation(values) == pytest.approx(1.25)
    kept = {"forgetting": 0.1, "seconds": 0.0, "gain": 0.0}
    assert found.violation(kept) == 0
    assert found.feasible(kept)
    assert not found.feasible(kept | {"gain": -1e-9})
    assert found.among(("gain",)) == Constraints.of({"gain": ">= 0"})
