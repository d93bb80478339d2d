"""The laws of successive halving for several objectives, and agreement with the slow oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.rungs import Asha, Rung, Rungs, levels
from spaces.objectives import Aim, Objectives
from tests.oracles import rungs as oracle

PLENTY = settings(max_examples=150, deadline=None)
NOWHERE = (np.inf, np.inf)
factors = st.integers(2, 4)
# Few values make many ties and duplicates; the wide ones make none.
coordinates = st.one_of(st.integers(0, 4).map(float), st.floats(-1e6, 1e6))


@st.composite
def arrivals(draw, *, objectives=2, most=14):
    """Batches of newcomers, as they might come in; some not finite."""
    broken = st.sampled_from([np.nan, np.inf, -np.inf])
    coordinate = draw(st.sampled_from([coordinates, st.one_of(coordinates, broken)]))
    rows = draw(st.lists(st.tuples(*[coordinate] * objectives), max_size=most))
    ids = draw(st.permutations(range(len(rows))))
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    named = list(zip(ids, rows, strict=True))
    return [dict(named[a:b]) for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def play(batches, *, factor, reference=NOWHERE):
    rung = Rung(factor=factor, reference=reference)
    return [rung.judge(batch) for batch in batches]


def seen_by(batches):
    return {i: c for batch in batches for i, c in batch.items()}


@pytest.mark.parametrize("objectives", [2, 3])
@PLENTY
@given(data=st.data(), factor=factors)
def test_agrees_with_the_definitions(objectives, data, factor):
    batches = data.draw(arrivals(objectives=objectives, most=9))
    reference = data.draw(st.tuples(*[st.one_of(st.just(np.inf), coordinates)] * objectives))
    verdicts = play(batches, factor=factor, reference=reference)
    for at, verdict in enumerate(verdicts):
        before = seen_by(batches[:at])
        assert verdict == oracle.goes_on(before, batches[at], factor=factor, reference=reference)


@PLENTY
@given(batches=arrivals(), factor=factors)
def test_who_dominates_all_goes_on(batches, factor):
    rung = Rung(factor=factor, reference=NOWHERE)
    for batch in batches:
        rung.judge(batch)
    finite = [c for c in seen_by(batches).values() if np.isfinite(c).all()]
    best = np.min([*finite, (0.0, 0.0)], axis=0) - 1
    assert rung.judge({99: best}) == {99}


@PLENTY
@given(batches=arrivals(), factor=factors)
def test_who_is_dominated_by_all_is_stopped_once_the_rung_holds_factor(batches, factor):
    rung = Rung(factor=factor, reference=NOWHERE)
    for batch in batches:
        rung.judge(batch)
    finite = [c for c in seen_by(batches).values() if np.isfinite(c).all()]
    worst = np.max([*finite, (0.0, 0.0)], axis=0) + 1
    assert rung.judge({99: worst}) == ({99} if len(finite) + 1 < factor else set())


@PLENTY
@given(batches=arrivals(), factor=factors, shuffle=st.randoms(use_true_random=False))
def test_order_of_rows_is_nothing(batches, factor, shuffle):
    shuffled = []
    for batch in batches:
        rows = list(batch.items())
        shuffle.shuffle(rows)
        shuffled.append(dict(rows))
    assert play(shuffled, factor=factor) == play(batches, factor=factor)


@PLENTY
@given(batches=arrivals(), factor=factors, data=st.data())
def test_increasing_rescaling_is_nothing(batches, factor, data):
    """Also when it is wild: each distinct value is moved anywhere that keeps the order."""
    reference = data.draw(st.tuples(coordinates, coordinates))
    maps = []
    for d in range(2):
        old = sorted(
            {c[d] for c in seen_by(batches).values() if np.isfinite(c[d])} | {reference[d]}
        )
        size = len(old)
        new = data.draw(st.lists(st.floats(-1e9, 1e9), min_size=size, max_size=size, unique=True))
        maps.append(dict(zip(old, sorted(new), strict=True)))

    def move(c):
        return tuple(m.get(x, x) for m, x in zip(maps, c, strict=True))

    moved = [{i: move(c) for i, c in batch.items()} for batch in batches]
    assert play(moved, factor=factor, reference=move(reference)) == play(
        batches, factor=factor, reference=reference
    )


@PLENTY
@given(batches=arrivals(), factor=factors)
def test_turning_an_objective_round_with_its_direction_is_nothing(batches, factor):
    aims = {"a": Aim(direction="max", reference=0.5), "b": Aim(direction="min", reference=2.0)}
    turned = {"a": Aim(direction="min", reference=-0.5), "b": Aim(direction="max", reference=-2.0)}
    results = []
    for objectives, sign in [(Objectives.of(aims), 1), (Objectives.of(turned), -1)]:
        asha = Asha(Rungs(factor=factor), 5, objectives)
        results.append(
            [
                asha.judge(2, {i: objectives.costs([sign * x for x in c])[0] for i, c in b.items()})
                for b in batches
            ]
        )
    assert results[0] == results[1]


@PLENTY
@given(batches=arrivals(), factor=factors)
def test_what_is_not_finite_never_goes_on_and_never_counts(batches, factor):
    finite = [{i: c for i, c in b.items() if np.isfinite(c).all()} for b in batches]
    assert play(batches, factor=factor) == play(finite, factor=factor)


@PLENTY
@given(batches=arrivals(), factor=factors, where=st.integers(0, 20))
def test_replayed_state_goes_on_as_the_one_that_never_died(batches, factor, where):
    replayed = Rung(factor=factor, reference=NOWHERE)
    for batch in batches[:where]:
        replayed.admit(batch)
    verdicts = [replayed.judge(batch) for batch in batches[where:]]
    assert verdicts == play(batches, factor=factor)[where:]


@PLENTY
@given(batch=arrivals(most=20).map(seen_by), factor=factors)
def test_one_batch_keeps_its_share_at_least(batch, factor):
    finite = [c for c in batch.values() if np.isfinite(c).all()]
    (verdict,) = play([batch], factor=factor)
    assert len(verdict) >= (len(finite) if len(finite) < factor else -(-len(finite) // factor))


@PLENTY
@given(batches=arrivals(), factor=factors, row=st.tuples(coordinates, coordinates))
def test_equal_results_are_treated_alike(batches, factor, row):
    rung = Rung(factor=factor, reference=NOWHERE)
    for batch in batches:
        rung.judge(batch)
    assert rung.judge({97: row, 98: row, 99: row}) in ({97, 98, 99}, set())


def test_a_newcomer_to_a_pure_front_is_not_stopped_for_coming_late():
    """Up to rescaling nothing tells its members apart: there is no reason to stop any."""
    assert play([{i: (float(i), -float(i))} for i in range(12)], factor=3) == [
        {i} for i in range(12)
    ]


def test_a_copy_of_the_best_is_as_good_as_the_best():
    """Copies share what one of them is worth: they do not cancel each other out."""
    corners = {0: (0.0, 2.0), 3: (2.0, 0.0), 4: (3.0, 3.0), 5: (3.0, 3.0)}
    (verdict,) = play([corners | {1: (1.0, 1.0), 2: (1.0, 1.0)}], factor=3)
    assert verdict == {1, 2}


def test_an_id_is_seen_once():
    rung = Rung(factor=3, reference=NOWHERE)
    rung.judge({1: (0.0, 0.0), 2: (np.nan, 0.0)})
    with pytest.raises(ValueError, match=r"each id once, got again=\[1, 2\]"):
        rung.admit({1: (1.0, 1.0), 2: (0.0, 0.0), 3: (0.0, 0.0)})


def test_levels_are_integers_and_never_the_last_task():
    assert Rungs().levels(5) == (2,)
    assert Rungs().levels(20) == (2, 6, 18)
    assert Rungs().levels(18) == (2, 6)
    assert Rungs().levels(2) == ()
    # 3**5: floating point logarithms lose the last of these.
    assert levels(1, factor=3, below=244) == (1, 3, 9, 27, 81, 243)


def test_rungs_are_judged_apart():
    objectives = Objectives.of({"a": "max", "b": "max"})
    asha = Asha(Rungs(), 10, objectives)
    assert asha.levels == (2, 6)
    good, bad = objectives.costs([[0.9, 0.9], [0.1, 0.1]])
    assert asha.judge(2, {0: good, 1: good + 0.1, 2: bad}) == {0}
    assert asha.judge(6, {2: bad}) == {2}
