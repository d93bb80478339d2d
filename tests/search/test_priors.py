"""What a file believes of its knobs helps where it is right, and is forgotten where it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from search.samplers import Sampler
from search.samplers.base import Told
from search.samplers.priors import standing
from search.samplers.random import Random
from search.samplers.suggestions import Suggestions
from search.samplers.tpe import Tpe
from spaces import fronts
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.overrides import override
from spaces.problems import Place, SpecError
from spaces.space import Space
from spaces.yamls import parse, read

OBJECTIVES = Objectives.of({"a": "min", "b": "min"})
BELIEVED = Space({"x": Range(0.0, 1.0, prior=0.5), "y": Range(0.0, 1.0)})


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


def followed(does_well, *, many=200, wave=1, held=None):
    """The places of proposals that follow a prior, of which those at places that ``does_well`` holds end well."""
    suggestions = Suggestions(Random(), BELIEVED, OBJECTIVES, 0)
    found = []
    for first in range(0, many, wave):
        places = range(first, first + wave)
        drawn = {place: suggestions.ask(place, held or {}) for place in places}
        found += [place for place, of in drawn.items() if "believed" in of.attrs]
        for place in places:
            well = place in found and does_well(place)
            suggestions.tell(place, "complete", [0.0, 0.0] if well else [1.0, 1.0])
    return found


def test_one_that_does_badly_is_followed_at_gaps_that_double():
    assert followed(lambda _: False) == [0, 2, 6, 14, 30, 62, 126]
    assert followed(lambda _: False, held={"y": 0.5}) == [0, 2, 6, 14, 30, 62, 126]


def test_one_that_does_well_is_followed_by_every_other():
    assert followed(lambda _: True)[2:] == list(range(4, 200, 2))


def test_one_that_no_longer_does_well_is_given_up():
    found = followed(lambda place: place < 20)
    assert len([p for p in found if p < 20]) == 10
    assert len([p for p in found if p >= 100]) < 10


def test_the_latest_are_compared_in_whatever_order_they_end():
    rng = np.random.default_rng(0)
    one, other = (Suggestions(Random(), BELIEVED, OBJECTIVES, 0) for _ in range(2))
    ends = rng.random((1600, 2)).tolist()
    for first in range(0, 1600, 400):  # far more than are compared
        wave = list(range(first, first + 400))
        assert [one.ask(n).attrs for n in wave] == [other.ask(n).attrs for n in wave]
        for n in wave:
            one.tell(n, "complete", ends[n])
        for n in rng.permutation(wave).tolist():
            other.tell(n, "complete", ends[n])


def test_a_wave_follows_it_before_anything_is_known():
    assert followed(lambda _: False, wave=8, many=24) == [0, 2, 6, 14]


@pytest.mark.parametrize("state", ["pruned", "failed"])
def test_what_did_not_come_to_its_end_did_not_do_well(state):
    suggestions = Suggestions(Random(), BELIEVED, OBJECTIVES, 0)
    for place in range(40):
        drawn = suggestions.ask(place)
        well = "believed" in drawn.attrs
        suggestions.tell(place, state if well else "complete", None if well else [1.0, 1.0])
    assert suggestions.ask(40).attrs == {}  # 0, 2, 6, 14, 30 did, and then 62


def test_who_stands_where():
    def told(n, state, values=None, over=0.0):
        return Told(candidate=n, state=state, values=values, limits={"l": over})

    ended = [
        told(0, "failed"),
        told(1, "complete", (0.0, 0.0), over=2.0),
        told(2, "complete", (1.0, 2.0)),
        told(3, "pruned"),
        told(4, "complete", (2.0, 3.0)),
        told(5, "complete", (0.0, 0.0), over=1.0),
        told(6, "complete", (2.0, 1.0)),
    ]
    stands = standing(ended, OBJECTIVES)
    assert stands[2] == stands[6] < stands[4] < stands[5] < stands[1] < stands[3] < stands[0]


def test_a_study_that_was_replayed_follows_it_as_the_one_that_never_died():
    whole, again = (Suggestions(Tpe(), BELIEVED, OBJECTIVES, 0) for _ in range(2))
    asked = [whole.ask(place) for place in range(12)]
    ends = [[drawn.knobs["x"], drawn.knobs["y"]] for drawn in asked]
    for place, drawn in enumerate(asked):
        again.replay(place, drawn.knobs, drawn.attrs)
    for one in (whole, again):
        for place, values in enumerate(ends):
            one.tell(place, "complete", values)
    for place in range(12, 40):
        assert whole.ask(place) == again.ask(place)


def test_a_choice_is_drawn_by_its_weights():
    told = Space({"s": Choice(("a", "b", "c"), (6, 0, 2)), "x": Range(0.0, 1.0)})
    drawn = [Suggestions(Random(), told, OBJECTIVES, seed).ask(0).knobs["s"] for seed in range(400)]
    assert drawn.count(1) == 0
    assert 260 < drawn.count(0) < 340  # three in four


def test_is_read_beside_its_range():
    data, _ = parse("a: !near_one {range: [0.9, 0.9999], prior: 0.996}\nb: !log [1, 2]", "x.yaml")
    assert data["a"] == Range(0.9, 0.9999, "near_one", prior=0.996)
    assert data["b"].prior is None
    assert str(data["a"]) == "!near_one {range: [0.9, 0.9999], prior: 0.996}"


def test_is_read_beside_options():
    text = "a: !choice\n  options:\n    - x\n    - y: !lgo [1, 2]\n  prior: [3, 1]\n"
    with pytest.raises(SpecError) as error:
        parse(text, "x.yaml")
    assert error.value.problems == ["x.yaml:4: a.1.y: unknown tag !lgo (did you mean '!log'?)"]
    data, lines = parse(text.replace("lgo", "log"), "x.yaml")
    assert data["a"] == Choice(("x", {"y": Range(1, 2, "log")}), (3, 1))
    assert lines["a", 1, "y"] == 4


def test_an_option_is_set_and_the_weights_stay():
    document = read("a: !choice {options: [1, 2], prior: [3, 1]}", lambda n: Place(n, "x"))
    assert override(document, "a.1=5").data == {"a": Choice((1, 5), (3, 1))}


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
        ("!choice {options: [a, b]}", r"or {options: \[a, b\], prior: \[0.7, 0.3\]}, is due"),
        ("!choice {options: a, prior: [1]}", r"a list of options, or .* is due"),
        ("!choice {options: [a, b], prior: 1}", r"a list of numbers is due, .* got 1"),
        ("!choice {options: [a, b], prior: [1, x]}", r"a list of numbers is due, .* got a list"),
        ("!choice {options: [a, b], prior: [1]}", r"a weight for each of 2 options, got 1"),
        ("!choice {options: [a, b], prior: [1, -1]}", r"must be at least 0, got \[1, -1\]"),
        ("!choice {options: [a, b], prior: [0, 0]}", r"must have a weight above 0, got none"),
    ],
)
def test_what_is_none_is_refused(said, message):
    with pytest.raises(SpecError, match=message):
        parse(f"a: {said}", "x.yaml")
