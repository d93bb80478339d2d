"""What asking and telling promise beyond the laws of each kind."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.samplers import Sampler
from search.samplers.coordinates import coordinate, value
from search.samplers.suggestions import Suggestions
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.space import Space

OBJECTIVES = Objectives.of({"a": "max", "b": "min"})
SPACE = Space({"recipe": {"lr": Range(1e-3, 1.0, "log")}, "m": Range(0.9, 0.9999, "near_one")})


def begin(kind="random", space=SPACE):
    return Suggestions(Sampler.kinds[kind](), space, OBJECTIVES, 0)


@settings(deadline=None)
@given(
    ends=st.tuples(st.floats(-10, 0.999999), st.floats(-10, 0.999999)).filter(
        lambda e: e[0] < e[1] and 1 - e[1] < 1 - e[0]
    ),
    u=st.floats(0, 1),
)
def test_values_and_coordinates_near_one_never_leave_the_range(ends, u):
    domain = Range(*ends, "near_one")
    inside = domain.at(u)
    assert domain.low <= value(domain, coordinate(domain, inside)) <= domain.high
    assert value(domain, coordinate(domain, inside)) == pytest.approx(inside, abs=1e-15)


def test_near_one_is_even_in_the_logarithm_of_the_gap():
    suggestions = begin()
    gaps = [np.log10(1 - suggestions.ask(c).knobs["m"]) for c in range(400)]
    counts, _ = np.histogram(gaps, bins=3, range=(-4, -1))
    assert (counts > 400 / 3 * 0.75).all()


def test_a_coordinate_that_its_value_does_not_give_back_travels_along():
    """1 - x rounds: without it, a replayed study would differ in the last bits, then in the rest."""
    drawn = [begin("nsga2").ask(candidate) for candidate in range(20)]
    kept = [d.attrs.get("coordinates", {}) for d in drawn]
    assert any(kept) and all(k.keys() <= {"m"} for k in kept)
    for d, k in zip(drawn, kept, strict=True):
        for x in k.values():
            assert x != 1 - d.knobs["m"] and x == pytest.approx(1 - d.knobs["m"], rel=1e-9)


def test_generations_and_parents_travel_along():
    suggestions = Suggestions(Sampler.kinds["nsga2"](population=4), SPACE, OBJECTIVES, 0)
    drawn = []
    for candidate in range(9):
        drawn.append(suggestions.ask(candidate))
        suggestions.tell(candidate, "complete", [candidate, 1.0])
    assert [d.attrs["trial"]["NSGAIISampler:generation"] for d in drawn] == [0] * 4 + [1] * 4 + [2]
    assert [bool(d.attrs.get("study")) for d in drawn] == [False] * 4 + [True] + [False] * 3 + [
        True
    ]
    assert json.loads(json.dumps([d.attrs for d in drawn])) == [d.attrs for d in drawn]


def test_qmc_covers_every_knob_evenly_also_those_inside_options():
    option = {"kind": "b", "x": Range(0.0, 1.0)}
    space = Space({"s": Choice(({"kind": "a"}, option)), "y": Range(0.0, 1.0)})
    suggestions = begin("qmc", space)
    drawn = [suggestions.ask(candidate).knobs for candidate in range(64)]
    for candidate in range(64):
        suggestions.tell(candidate, "complete", [0.0, 0.0])
    assert np.histogram([d["y"] for d in drawn], bins=16, range=(0, 1))[0].tolist() == [4] * 16
    assert sum(d["s"] for d in drawn) == 32
    nested = np.histogram([d["s.1.x"] for d in drawn if d["s"] == 1], bins=4, range=(0, 1))[0]
    assert nested.tolist() == [8] * 4


@pytest.mark.parametrize("averages", [1, 2, 4, 8])
def test_qmc_covers_students_evenly_however_many_averages_each_has(averages):
    """Some of a student's averages are proposed, and of others every knob is given."""
    space = Space({"lr": Range(0.0, 1.0), "momentum": Range(0.0, 1.0)})
    suggestions, again = begin("qmc", space), begin("qmc", space)
    students, others = [], []
    for student in range(64):
        for average in range(averages):
            number = averages * student + average
            held = {"lr": students[-1]["lr"]} if average else {}
            given = held | {"momentum": 0.5} if average > averages // 2 else held
            drawn = suggestions.ask(number, given)
            again.replay(number, drawn.knobs, drawn.attrs)
            if not average:
                students.append(drawn.knobs)
            elif given == held:
                others.append(drawn.knobs)
    assert np.histogram([s["lr"] for s in students], bins=16, range=(0, 1))[0].tolist() == [4] * 16
    some = np.histogram([o["momentum"] for o in others], bins=4, range=(0, 1))[0]
    assert some.tolist() == [len(others) // 4] * 4
    assert again.ask(999).knobs == suggestions.ask(999).knobs


def test_counts():
    suggestions = begin()
    for candidate in range(5):
        suggestions.ask(candidate)
    suggestions.tell(0, "complete", [0.0, 1.0])
    suggestions.tell(3, "complete", [0.0, 1.0])
    suggestions.tell(2, "pruned")
    suggestions.tell(1, "failed")
    assert suggestions.counts() == {"running": 1, "complete": 2, "pruned": 1, "failed": 1}


@pytest.mark.parametrize(
    ("state", "values", "message"),
    [
        ("complete", None, r"told with 'complete' alone, got state='complete' values=None"),
        ("pruned", [0.1, 0.2], r"told with 'complete' alone, got state='pruned'"),
        ("complete", [np.nan, 0.2], r"values are finite, else the state is 'failed', got"),
        ("complete", [np.inf, 0.2], r"values are finite"),
        ("complete", [0.1], r"each of the 2 objectives has a value, got values=\[0.1\]"),
    ],
)
def test_a_wrong_tell_is_refused_and_harms_nothing(state, values, message):
    suggestions = begin()
    suggestions.ask(0)
    with pytest.raises(ValueError, match=message):
        suggestions.tell(0, state, values)
    assert suggestions.counts()["running"] == 1
    suggestions.tell(0, "failed")


def test_unknown_and_repeated_candidates_are_refused():
    suggestions = begin()
    drawn = suggestions.ask(7)
    with pytest.raises(ValueError, match="a candidate is proposed once, got candidate=7 again"):
        suggestions.ask(7)
    with pytest.raises(ValueError, match="a candidate is proposed once, got candidate=7 again"):
        suggestions.replay(7, drawn.knobs, drawn.attrs)
    with pytest.raises(ValueError, match="told after it was asked for, got candidate=8"):
        suggestions.tell(8, "failed")
    suggestions.tell(7, "failed")
    with pytest.raises(
        ValueError,
        match="a candidate ends once, got candidate=7 state='failed' after known='failed'",
    ):
        suggestions.tell(7, "failed")


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"recipe.rl": 0.1}, r"the space has the knobs \['m', 'recipe.lr'\], got name='recipe.rl'"),
        ({"recipe.lr": 2.0}, r"inside its domain, got value=2.0"),
        ({"m": 1.0}, r"inside its domain, got value=1.0"),
    ],
)
def test_fixing_what_cannot_be_is_refused_before_anything_is_asked(fixed, message):
    suggestions = begin()
    with pytest.raises(ValueError, match=message):
        suggestions.ask(0, fixed)
    assert suggestions.counts()["running"] == 0


@pytest.mark.parametrize("kind", Sampler.kinds)
def test_parts_that_stand_change_no_proposal(kind):
    plain, sharing = begin(kind), begin(kind)
    first = plain.ask(0)
    assert sharing.ask(0) == first
    fixed = {"recipe.lr": first.knobs["recipe.lr"]}
    again = sharing.ask(1, fixed, SPACE.parts(first.filled, "recipe"))
    assert again == plain.ask(1, fixed)
    assert again.filled["recipe"] is first.filled["recipe"]


def test_fixing_a_knob_of_an_option_not_chosen_is_refused():
    space = Space({"s": Choice(({"kind": "a"}, {"kind": "b", "x": Range(0.0, 1.0)}))})
    with pytest.raises(ValueError, match=r"fixed knobs are in play, got idle=\['s.1.x'\]"):
        begin(space=space).ask(0, {"s": 0, "s.1.x": 0.5})


def test_optuna_says_nothing(caplog, capfd):
    """Neither of the studies it makes nor of knobs that a joint sampler has to draw alone."""
    space = Space({"s": Choice(({"kind": "a"}, {"kind": "b", "x": Range(0.0, 1.0)}))})
    with caplog.at_level(logging.INFO):
        for kind in Sampler.kinds:
            suggestions = begin(kind, space)
            for candidate in range(12):
                suggestions.ask(candidate)
                suggestions.tell(candidate, "complete", [0.1 * candidate, 0.0])
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
