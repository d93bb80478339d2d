"""The laws that every sampler keeps. A new sampler is tested by being registered."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.samplers import Sampler
from search.samplers.suggestions import Suggestions
from spaces import fronts
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.space import Space
from tests.contracts.cases import specs_of

OBJECTIVES = Objectives.of({"plasticity": "max", "forgetting": "min"})
SPACE = Space(
    {
        "recipe": {
            "lr": Range(1e-3, 1.0, "log"),
            "strategy": Choice(
                (
                    {"kind": "finetune"},
                    {
                        "kind": "mean_teacher",
                        "agreement": Range(0.01, 10.0, "log"),
                        "teacher": Choice(({"m": Range(0.9, 0.9999, "near_one")}, {"m": 0.5})),
                    },
                )
            ),
        },
        "averager": {
            "kind": "ema",
            "momentum": Range(0.0, 0.9999, "near_one"),
            "every": Range(1, 50, whole=True),
            "start": Range(-2.0, 3.0),
        },
    }
)
# The kinds' defaults, with early beginnings, so that what they learn is at work in short studies.
EARLY = {
    "tpe": {"startup": 5},
    "gp": {"startup": 5},
    "nsga2": {"population": 4},
    "nsga3": {"population": 4, "divisions": 3},
}
each_kind = pytest.mark.parametrize("kind", sorted(Sampler.kinds))


def sampler_of(kind):
    return Sampler.kinds[kind](**EARLY.get(kind, {}))


def begin(kind, *, seed=3, space=SPACE):
    return Suggestions(sampler_of(kind), space, OBJECTIVES, seed)


def end_of(candidate, knobs):
    """A made-up ending: most are complete, some pruned or failed, all from the knobs alone."""
    lr, momentum = knobs["recipe.lr"], knobs["averager.momentum"]
    if candidate % 5 == 3:
        return "pruned", None
    if candidate % 7 == 4:
        return "failed", None
    return "complete", [lr * (1 - momentum), (np.log10(lr) + 2) ** 2 + knobs["averager.start"]]


def asks(suggestions, numbers, *, lag=3):
    """Asks for ``numbers``, telling each ending ``lag`` asks late: some are always running."""
    drawn = []
    for at, candidate in enumerate(numbers):
        drawn.append(suggestions.ask(candidate))
        if at >= lag:
            late = numbers[at - lag]
            suggestions.tell(late, *end_of(late, drawn[at - lag].knobs))
    return drawn


def inside(knobs):
    domains = SPACE.knobs()
    for name, value in knobs.items():
        domain = domains[name]
        match domain:
            case Choice():
                assert type(value) is int and value in range(len(domain.options))
            case Range(whole=True):
                assert type(value) is int and domain.low <= value <= domain.high
            case Range():
                assert type(value) is float and domain.low <= value <= domain.high
    nested = {name for name in knobs if name.startswith("recipe.strategy.1.")}
    assert bool(nested) == (knobs["recipe.strategy"] == 1)
    assert ("recipe.strategy.1.teacher.0.m" in knobs) == (
        knobs.get("recipe.strategy.1.teacher") == 0
    )


@each_kind
def test_stays_inside_the_space(kind):
    for drawn in asks(begin(kind), range(12)):
        inside(drawn.knobs)
        assert drawn.filled["recipe"]["lr"] == drawn.knobs["recipe.lr"]
        assert drawn.filled["averager"]["every"] == drawn.knobs["averager.every"]


@each_kind
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_setting_of_it_proposes(kind, data):
    spec = data.draw(specs_of(Sampler.kinds[kind]))
    suggestions = Suggestions(spec, SPACE, OBJECTIVES, data.draw(st.integers(0, 2**40)))
    for drawn in asks(suggestions, range(4), lag=1):
        inside(drawn.knobs)
    assert pickle.loads(pickle.dumps(spec)) == spec


@each_kind
def test_replayed_goes_on_as_the_one_that_never_died(kind):
    """The law that resuming stands on, wherever the death comes; through JSON, as in the ledger."""
    lived = begin(kind)
    drawn = asks(lived, range(15))
    for death in (2, 9, 14):
        risen = begin(kind)
        for candidate in range(death):
            ledger = json.loads(json.dumps([drawn[candidate].knobs, drawn[candidate].attrs]))
            risen.replay(candidate, *ledger)
        for candidate in range(max(0, death - 3)):
            risen.tell(candidate, *end_of(candidate, drawn[candidate].knobs))
        assert risen.ask(death) == drawn[death]


@each_kind
def test_when_results_came_is_nothing_once_they_are_in(kind):
    """Between two asks, the order of tells does not matter: engines may report in any order."""
    orders = []
    for order in (list(range(12)), list(range(12))[::-1]):
        suggestions = begin(kind)
        drawn = [suggestions.ask(candidate) for candidate in range(12)]
        for candidate in order:
            suggestions.tell(candidate, *end_of(candidate, drawn[candidate].knobs))
        orders.append([suggestions.ask(candidate) for candidate in range(12, 15)])
    assert orders[0] == orders[1]


@each_kind
def test_what_is_revised_is_as_if_it_had_been_told(kind):
    revised, replayed = begin(kind), begin(kind)
    drawn = asks(revised, range(6), lag=0)
    drawn.append(revised.ask(6))
    for number, each in enumerate(drawn):
        replayed.replay(number, each.knobs, each.attrs)
    for number, each in enumerate(drawn[:6]):
        state, values = end_of(number, each.knobs)
        replayed.tell(number, state, None if values is None else values[::-1])
        if values is not None:
            revised.revise(number, values[::-1])
    assert asks(revised, range(7, 8)) == asks(replayed, range(7, 8))
    with pytest.raises(ValueError, match="revised once complete, got candidate=99"):
        revised.revise(99, [0.0, 0.0])


def sequence(kind):
    return [d.knobs for d in asks(begin(kind), range(10))]


@pytest.fixture(scope="module")
def elsewhere():
    """What each kind draws in another process."""
    program = (
        "import json\n"
        "from tests.contracts.test_samplers import Sampler, sequence\n"
        "print(json.dumps({kind: sequence(kind) for kind in Sampler.kinds}))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return json.loads(other.stdout)


@each_kind
def test_same_seed_same_sequence_in_another_process(kind, elsewhere):
    assert elsewhere[kind] == sequence(kind)


@each_kind
def test_every_seed_and_every_candidate_has_draws_of_its_own(kind):
    drawn = [d for seed in (1, 2) for d in asks(begin(kind, seed=seed), range(4))]
    assert len({d.knobs["recipe.lr"] for d in drawn}) == 8


@each_kind
def test_survives_when_nothing_completes(kind):
    suggestions = begin(kind)
    for candidate in range(16):
        inside(suggestions.ask(candidate).knobs)
        suggestions.tell(candidate, "failed" if candidate % 2 else "pruned")
    assert suggestions.counts() == {"running": 0, "complete": 0, "pruned": 8, "failed": 8}


@each_kind
def test_survives_duplicates_and_equal_results(kind):
    suggestions = begin(kind)
    first = suggestions.ask(0).knobs
    suggestions.tell(0, "complete", [0.5, 0.5])
    for candidate in range(1, 16):
        drawn = suggestions.ask(candidate, first if candidate < 8 else {})
        inside(drawn.knobs)
        assert drawn.knobs == first or candidate >= 8
        suggestions.tell(candidate, "complete", [0.5, 0.5])


@each_kind
def test_holds_what_is_fixed_and_draws_the_rest(kind):
    """Averages of one student: its recipe is given, its averagers differ."""
    suggestions = begin(kind)
    drawn = asks(suggestions, range(12), lag=1)
    student = {n: v for n, v in drawn[-1].knobs.items() if n.startswith("recipe.")}
    more = [suggestions.ask(candidate, student) for candidate in range(12, 16)]
    for other in more:
        inside(other.knobs)
        assert student.items() <= other.knobs.items()
    assert len({tuple(d.knobs.values()) for d in more}) == 4
    risen = begin(kind)
    for candidate, known in enumerate([*drawn, *more[:-1]]):
        risen.replay(candidate, known.knobs, json.loads(json.dumps(known.attrs)))
    for candidate in range(11):
        risen.tell(candidate, *end_of(candidate, drawn[candidate].knobs))
    assert risen.ask(15, student) == more[-1]


@each_kind
def test_a_space_without_holes_has_one_candidate(kind):
    drawn = begin(kind, space=Space({"recipe": {"lr": 0.1}})).ask(0)
    assert drawn.knobs == {} and drawn.filled == {"recipe": {"lr": 0.1}}


QUADRATIC = Space({"recipe": {f"x{d}": Range(0.0, 1.0) for d in range(5)}})


def volume(kind, seed, *, candidates):
    """The hypervolume found on two paraboloids in five dimensions, of optima 0.2 and 0.6."""
    settings = {"nsga2": {"population": 16}, "nsga3": {"population": 16}}.get(kind, {})
    sampler = Sampler.kinds[kind](**settings)
    suggestions = Suggestions(sampler, QUADRATIC, Objectives.of({"a": "min", "b": "min"}), seed)
    costs = []
    for candidate in range(candidates):
        x = np.array(list(suggestions.ask(candidate).knobs.values()))
        costs.append([float(((x - 0.2) ** 2).sum()), float(((x - 0.6) ** 2).sum())])
        suggestions.tell(candidate, "complete", costs[-1])
    return fronts.hypervolume(np.array(costs), np.array([1.0, 1.0]))


@pytest.mark.parametrize("kind", sorted(Sampler.kinds.keys() - {"random", "qmc"}))
def test_beats_chance_on_two_paraboloids(kind):
    candidates, seeds = (24, (0,)) if kind == "gp" else (160, (0, 1, 2))
    for seed in seeds:
        ours = volume(kind, seed, candidates=candidates)
        chance = volume("random", seed, candidates=candidates)
        assert ours > chance * 1.03, f"{ours=} {chance=}"
