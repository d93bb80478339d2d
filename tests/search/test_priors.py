"""What a file believes of its knobs helps where it is right, and is forgotten where it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from search.samplers import Sampler
from search.samplers.base import Scope
from search.samplers.priors import Priors
from search.samplers.suggestions import Suggestions
from search.samplers.tpe import Tpe
from spaces import fronts
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.problems import SpecError
from spaces.space import Space
from spaces.yamls import parse

OBJECTIVES = Objectives.of({"a": "min", "b": "min"})


def space(prior):
    return Space({f"x{d}": Range(0.0, 1.0, prior=prior) for d in range(5)})


def candidates_to(target, prior, seed, *, wave=8, most=400):
    """How many candidates it takes to dominate ``target`` of two paraboloids' costs below 1."""
    suggestions, costs = Suggestions(Tpe(), space(prior), OBJECTIVES, seed), []
    while len(costs) < most:
        for drawn in [suggestions.ask(len(costs) + k) for k in range(wave)]:
            x = np.array(list(drawn.knobs.values()))
            costs.append([float(((x - 0.2) ** 2).sum()), float(((x - 0.6) ** 2).sum())])
            suggestions.tell(len(costs) - 1, "complete", costs[-1])
        if fronts.hypervolume(np.array(costs), np.array([1.0, 1.0])) >= target:
            return len(costs)
    return most


def test_a_right_one_helps_and_a_wrong_one_costs_at_most_a_fifth():
    found = {
        prior: np.mean([candidates_to(0.74, prior, seed) for seed in range(24)])
        for prior in (None, 0.4, 0.98)
    }
    assert found[0.4] < 0.85 * found[None], found
    assert found[0.98] <= 1.2 * found[None], found


@pytest.mark.parametrize("kind", sorted(Sampler.kinds))
def test_every_sampler_begins_about_it(kind):
    inside = {"kind": "b", "y": Range(1, 99, whole=True, prior=90)}
    told = Space({"m": Range(0.9, 0.9999, "near_one", prior=0.996), "s": Choice(("a", inside))})
    ways = {True: [], False: []}
    for seed in range(24):
        suggestions = Suggestions(Sampler.kinds[kind](), told, OBJECTIVES, seed)
        knobs = suggestions.ask(0).knobs
        near = abs(told.knobs()["m"].way(knobs["m"]) - told.knobs()["m"].way(0.996)) < 0.3
        ways[near].append(knobs)
        suggestions.tell(0, "complete", [0.0, 1.0])
        assert suggestions.ask(1, {"m": 0.95}).knobs["m"] == 0.95  # what is fixed is not believed
    assert len(ways[True]) >= 22  # nearly all: 0.3 of the way is three standard deviations
    assert any(k.get("s.1.y", 0) > 75 for k in ways[True])


def test_is_followed_at_gaps_that_double():
    domain = Range(0.0, 1.0, prior=0.5)
    priors = Priors(Scope(knobs={"x": domain}, objectives=OBJECTIVES, seed=0))
    followed = [place for place in range(1000) if priors.drawn(place, place)]
    assert followed == [0, 2, 6, 14, 30, 62, 126, 254, 510]


def test_is_read_beside_its_range():
    data, _ = parse("a: !near_one {range: [0.9, 0.9999], prior: 0.996}\nb: !log [1, 2]", "x.yaml")
    assert data["a"] == Range(0.9, 0.9999, "near_one", prior=0.996)
    assert data["b"].prior is None
    assert str(data["a"]) == "!near_one {range: [0.9, 0.9999], prior: 0.996}"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("!log {range: [1, 2], prior: 3}", r"the prior must be in \[1, 2\], got 3"),
        ("!log {range: [1, 2]}", r"or {range: \[low, high\], prior: x}, are due"),
        ("!log {range: [1, 2], prior: 1, x: 1}", r"prior: x}, are due"),
        ("!log {range: 3, prior: 1}", r"prior: x}, are due"),
        ("!log {range: [1], prior: 1}", r"two numbers in brackets are due, got 1"),
        ("!int {range: [1, 3], prior: 1.5}", r"the prior must be a whole number, got 1.5"),
        ("!uniform {range: [0, 1], prior: half}", r"prior: a number is due, got 'half'"),
    ],
)
def test_what_is_none_is_refused(said, message):
    with pytest.raises(SpecError, match=message):
        parse(f"a: {said}", "x.yaml")
