"""TPE finds as much as Optuna's, which looks at every candidate for each knob of every ask."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import TPESampler

from search.pruned.base import complete
from search.samplers import tpe
from search.samplers.base import Keyed, Told, generator
from search.samplers.densities import spread
from search.samplers.optunas import OptunaStudy
from search.samplers.suggestions import Suggestions
from search.samplers.tpe import Tpe, Whole, best_of
from spaces import fronts
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.space import Space

MANY = Objectives.of({"plasticity": "max", "forgetting": "min"})
COSTS = Objectives.of({"a": "min", "b": "min"})
QUADRATIC = Space({"recipe": {f"x{d}": Range(0.0, 1.0) for d in range(5)}})
OPTIONS = Space({"s": Choice(({"kind": "a"}, {"kind": "b", "x": Range(0.0, 1.0)}))})


@dataclass
class Optunas:
    """Optuna's sampler, as it comes."""

    def optuna_sampler(self, seed):
        return TPESampler(n_startup_trials=10, n_ei_candidates=24, seed=seed)

    def proposer(self, scope):
        return OptunaStudy(self, scope)


def test_keyed_anew_is_made_anew():
    keyed = Keyed(7)
    for candidate in (3, 0, 2**40, -1, 3):
        given, made = keyed.of(candidate), generator(7, candidate)
        for draw in (lambda rng: rng.random(3), lambda rng: rng.integers(9, dtype=np.int32)):
            assert (draw(given) == draw(made)).all()


def volume(sampler, seed, *, candidates=144, wave=16):
    suggestions, costs = Suggestions(sampler, QUADRATIC, COSTS, seed), []
    while len(costs) < candidates:
        drawn = [suggestions.ask(len(costs) + k) for k in range(wave)]
        for each in drawn:
            x = np.array(list(each.knobs.values()))
            costs.append([float(((x - 0.2) ** 2).sum()), float(((x - 0.6) ** 2).sum())])
            suggestions.tell(len(costs) - 1, "complete", costs[-1])
    return fronts.hypervolume(np.array(costs), np.array([1.0, 1.0]))


def test_finds_as_much_as_optunas_own():
    ours = np.mean([volume(Tpe(), seed) for seed in range(6)])
    assert ours > np.mean([volume(Optunas(), seed) for seed in range(2)]) - 0.03
    assert ours > np.mean([volume(Tpe(startup=1000), seed) for seed in range(6)]) + 0.07


@settings(deadline=None, max_examples=100)
@given(
    values=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=2, max_size=40
    ),
    looks=st.lists(st.integers(1, 20), max_size=4),
    random=st.randoms(use_true_random=False),
)
def test_the_best_of_the_whole_are_found_however_they_came(values, looks, random):
    whole, told = Whole(MANY), {}
    numbers = random.sample(range(100), len(values))
    due = {random.randrange(len(values)): room for room in looks}
    for at, (number, (a, b, broke)) in enumerate(zip(numbers, values, strict=True)):
        state = {"limits": {"c": float(broke)}}
        told[number] = Told(candidate=number, state="complete", values=(a, b), **state)
        whole.take(told[number])
        room = due.get(at, 1)
        if whole.kept > room:
            tier = complete([told[n] for n in sorted(told)], MANY)
            true = [tier.candidates[row] for row in best_of(tier.costs, tier.excess, room)]
            assert whole.best(room) == true
    assert whole.kept == sum(not broke for _, _, broke in values)


@settings(deadline=None, max_examples=60)
@given(
    costs=st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=25),
    room=st.integers(1, 30),
)
def test_the_best_are_those_of_the_lowest_ranks(costs, room):
    rows = np.array(costs, dtype=float)
    found = best_of(rows, np.zeros(len(rows)), room)
    assert found == sorted(set(found)) and len(found) == min(room, len(rows))
    left, rank = set(range(len(rows))), {}
    while left:
        front = {
            i
            for i in left
            if not any((rows[j] <= rows[i]).all() and (rows[j] < rows[i]).any() for j in left)
        }
        rank |= dict.fromkeys(front, len(set(rank.values())))
        left -= front
    outside = set(range(len(rows))) - set(found)
    assert all(rank[i] <= rank[o] for i in found for o in outside)


def test_of_the_last_rank_ends_and_gaps_count_most():
    line = np.array([[0.0, 1.0], [0.1, 0.9], [0.12, 0.88], [0.5, 0.5], [1.0, 0.0]])
    assert best_of(line, np.zeros(5), 3) == [0, 3, 4]


def test_whoever_broke_its_limits_is_behind_whoever_kept_them():
    line = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.1, 0.1]])
    excess = np.array([2.0, 0.0, 0.0, np.inf])
    assert [best_of(line, excess, room) for room in (1, 2, 3)] == [[1], [1, 2], [0, 1, 2]]


def test_an_option_of_bad_luck_is_tried_again():
    """The first forty draws of one option were good and all of the other bad; now both are good."""
    suggestions = Suggestions(Tpe(), OPTIONS, MANY, 0)
    for candidate in range(44):
        held = {"s": 0} if candidate < 40 else {"s": 1}
        suggestions.ask(candidate, held)
        values = [1.0, 0.0] if candidate < 40 else [0.0, 1.0]
        suggestions.tell(candidate, "complete", values)
    drawn = [suggestions.ask(candidate).knobs["s"] for candidate in range(44, 144)]
    assert 3 <= sum(drawn) <= 60


@pytest.mark.parametrize("share", [sys.float_info.min, math.nextafter(1.0, 0.0)])
def test_proposes_at_the_ends_of_what_a_share_may_be(share):
    """The beta distributions of options nobody was asked for yet have their smallest parameters."""
    suggestions = Suggestions(Tpe(startup=1, share=share), OPTIONS, MANY, 0)
    for candidate in range(8):
        suggestions.ask(candidate, {"s": 1})
        suggestions.tell(candidate, "complete", [float(candidate), 0.0])
    assert {suggestions.ask(candidate).knobs["s"] for candidate in range(8, 40)} <= {0, 1}


def test_candidates_asked_for_together_differ():
    suggestions = Suggestions(Tpe(startup=5), QUADRATIC, COSTS, 0)
    for candidate in range(60):
        x = suggestions.ask(candidate).knobs["recipe.x0"]
        suggestions.tell(candidate, "complete", [x, 1.0])
    together = [suggestions.ask(candidate).knobs["recipe.x0"] for candidate in range(60, 72)]
    alone = []
    for number in range(12):  # each as if it were the only one
        again = Suggestions(Tpe(startup=5), QUADRATIC, COSTS, 0)
        for candidate in range(60):
            x = again.ask(candidate).knobs["recipe.x0"]
            again.tell(candidate, "complete", [x, 1.0])
        alone.append(again.ask(60 + number).knobs["recipe.x0"])
    assert np.ptp(together) > np.ptp(alone)


def test_the_past_is_looked_at_once_for_all_asks_between_two_tells(monkeypatch):
    looked = []
    monkeypatch.setattr(tpe, "spread", lambda *given: looked.append(1) or spread(*given))
    suggestions = Suggestions(Tpe(startup=1), QUADRATIC, COSTS, 0)
    for candidate in range(12):
        suggestions.ask(candidate)
        if candidate in (0, 5):
            suggestions.tell(candidate, "complete", [0.0, 1.0])
    assert len(looked) == 2
