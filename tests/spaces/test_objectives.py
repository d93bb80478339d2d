"""Objectives: read in two spellings, turned into costs."""

from __future__ import annotations

import numpy as np
import pytest

from spaces.objectives import Aim, Objectives
from spaces.specs import SpecError, load
from spaces.yamls import parse


def read(text):
    data, lines = parse(text, "f.yaml")
    return load(Objectives, data, lines=lines, source="f.yaml")


def test_both_spellings():
    found = read(
        "plasticity: max\nforgetting: {direction: min}\ntime: {direction: min, reference: 9}"
    )
    assert found == Objectives(
        names=("plasticity", "forgetting", "time"),
        directions=("max", "min", "min"),
        reference=(0.0, 1.0, 9.0),
    )
    assert found == Objectives.of(
        {"plasticity": "max", "forgetting": "min", "time": Aim(direction="min", reference=9.0)}
    )


def test_costs_are_all_to_be_made_less():
    objectives = Objectives.of({"a": "max", "b": Aim(direction="min", reference=4.0)})
    costs = objectives.costs([[0.5, 3.0], [0.25, np.nan]])
    np.testing.assert_array_equal(costs, [[-0.5, 3.0], [-0.25, np.nan]])
    assert costs.dtype == np.float64
    np.testing.assert_array_equal(objectives.reference_cost, [0.0, 4.0])
    assert objectives.costs([]).shape == (0, 2)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("{}", "f.yaml:1: a trade-off is between at least two metrics"),
        ("a: max", "f.yaml:1: a trade-off is between at least two metrics"),
        ("a: max\nb: maximise", "f.yaml:2: b: 'max' or 'min' is due, got 'maximise'"),
        ("a: max\nb: 3", "f.yaml:2: b: a mapping is due, got 3"),
        ("a: max\nb: {reference: 1}", "f.yaml:2: b.direction: is missing"),
        ("a: max\nb: {direction: min, reference: x}", "f.yaml:2: b.reference: a number is due"),
        ("- a\n- b", "f.yaml:1: a mapping is due, got a list"),
    ],
)
def test_complaints(text, problem):
    with pytest.raises(SpecError) as error:
        read(text)
    assert str(error.value).startswith(problem)
