"""The laws of rungs, on every kind and every worth, and agreement with the slow oracles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.rungs import Rungs
from search.rungs.asha import Asha
from search.rungs.base import powers
from search.rungs.hyperband import Hyperband, dealt
from search.rungs.rung import Rung
from search.worths import Worth
from search.worths.contribution import Contribution
from spaces.objectives import Aim, Objectives
from tests.oracles import rungs as oracle

PLENTY = settings(max_examples=40, deadline=None)
NOWHERE = (np.inf, np.inf)
TASKS = 9
every_kind = pytest.mark.parametrize("kind", Rungs.kinds.values(), ids=Rungs.kinds)
every_worth = pytest.mark.parametrize("worth", Worth.kinds.values(), ids=Worth.kinds)
settings_ = st.fixed_dictionaries(
    {"factor": st.integers(2, 4), "within": st.sampled_from([k() for k in Worth.kinds.values()])}
)
STUDENTS = st.one_of(
    st.just({i: i for i in range(20)}),
    st.lists(st.integers(0, 5), min_size=20, max_size=20).map(lambda of: dict(enumerate(of))),
)
"""Whose averages they are: each its own student's, or several a student's."""
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


class Play:
    """Rungs at their first level; each candidate is its own student's, or as ``turns`` say."""

    def __init__(self, rungs, *, reference=NOWHERE, turns=None):
        self.ladder, self.level = rungs.ladder(TASKS, reference), rungs.levels(TASKS)[0]
        self.turns = turns or {i: i for i in range(100)}

    def judge(self, batch):
        return self.ladder.judge(self.level, batch, self.turns)

    def admit(self, batch):
        self.ladder.admit(self.level, batch, self.turns)


def apart_in_one_bracket(ladder, count=100):
    """Turns of so many students, that are all in the first bracket."""
    return {i: i * len(ladder._cycle) for i in range(count)}


def play(rungs, batches, **how):
    played = Play(rungs, **how)
    return [played.judge(batch) for batch in batches]


def seen_by(batches):
    return {i: c for batch in batches for i, c in batch.items()}


def finite_of(batches):
    return [{i: c for i, c in b.items() if np.isfinite(c).all()} for b in batches]


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_)
def test_who_dominates_all_goes_on(kind, batches, said):
    played = Play(kind(**said))
    for batch in batches[:-1]:
        played.judge(batch)
    finite = [c for c in seen_by(batches).values() if np.isfinite(c).all()]
    best = np.min([*finite, (0.0, 0.0)], axis=0) - 1
    assert 99 in played.judge(batches[-1] | {99: best})


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, shuffle=st.randoms(use_true_random=False))
def test_order_of_rows_is_nothing(kind, batches, said, shuffle):
    shuffled = []
    for batch in batches:
        rows = list(batch.items())
        shuffle.shuffle(rows)
        shuffled.append(dict(rows))
    assert play(kind(**said), shuffled) == play(kind(**said), batches)


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, data=st.data())
def test_increasing_rescaling_is_nothing(kind, batches, said, data):
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
    assert play(kind(**said), moved, reference=move(reference)) == play(
        kind(**said), batches, reference=reference
    )


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_)
def test_turning_an_objective_round_with_its_direction_is_nothing(kind, batches, said):
    aims = {"a": Aim(direction="max", reference=0.5), "b": Aim(direction="min", reference=2.0)}
    turned = {"a": Aim(direction="min", reference=-0.5), "b": Aim(direction="max", reference=-2.0)}
    results = []
    for objectives, sign in [(Objectives.of(aims), 1), (Objectives.of(turned), -1)]:
        costs = [
            {i: objectives.costs([sign * x for x in c])[0] for i, c in b.items()} for b in batches
        ]
        results.append(play(kind(**said), costs, reference=objectives.reference_cost))
    assert results[0] == results[1]


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, reference=st.tuples(coordinates, coordinates))
def test_which_objective_is_named_first_is_nothing(kind, batches, said, reference):
    turned = [{i: c[::-1] for i, c in batch.items()} for batch in batches]
    assert play(kind(**said), turned, reference=reference[::-1]) == play(
        kind(**said), batches, reference=reference
    )


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_)
def test_what_is_not_finite_never_goes_on_and_never_counts(kind, batches, said):
    assert play(kind(**said), batches) == play(kind(**said), finite_of(batches))


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, where=st.integers(0, 20))
def test_replayed_state_goes_on_as_the_one_that_never_died(kind, batches, said, where):
    replayed = Play(kind(**said))
    replayed.admit(seen_by(batches[:where]))
    verdicts = [replayed.judge(batch) for batch in batches[where:]]
    assert verdicts == play(kind(**said), batches)[where:]


@every_kind
@PLENTY
@given(batch=arrivals(most=20).map(seen_by), said=settings_)
def test_one_batch_keeps_its_share_at_least(kind, batch, said):
    (finite,) = finite_of([batch])
    (verdict,) = play(kind(**said), [batch])
    assert len(verdict) >= -(-len(finite) // said["factor"])


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, row=st.tuples(coordinates, coordinates))
def test_equal_results_are_treated_alike(kind, batches, said, row):
    played = Play(kind(**said))
    played.turns = apart_in_one_bracket(played.ladder)
    for batch in batches:
        played.judge(batch)
    assert played.judge({97: row, 98: row, 99: row}) in ({97, 98, 99}, set())


@every_kind
def test_an_id_is_judged_once(kind):
    played = Play(kind())
    played.turns = apart_in_one_bracket(played.ladder)
    played.judge({1: (0.0, 0.0), 2: (np.nan, 0.0)})
    assert played.ladder.seen()[2] == 1
    if kind.__name__ != "Halving":  # whose heats know nothing of each other
        with pytest.raises(ValueError, match=r"each id once, got again=\[1, 2\]"):
            played.admit({1: (1.0, 1.0), 2: (0.0, 0.0), 3: (0.0, 0.0)})


@every_worth
@pytest.mark.parametrize("objectives", [2, 3])
@PLENTY
@given(data=st.data(), factor=st.integers(2, 4))
def test_asha_agrees_with_the_definitions(objectives, worth, data, factor):
    batches = data.draw(arrivals(objectives=objectives, most=9))
    reference = data.draw(st.tuples(*[st.one_of(st.just(np.inf), coordinates)] * objectives))
    turns = data.draw(STUDENTS)
    verdicts = play(Asha(factor=factor, within=worth()), batches, reference=reference, turns=turns)
    defined = getattr(oracle, worth().kind)
    told = {"factor": factor, "reference": reference, "worth": defined, "students": turns}
    for at, verdict in enumerate(verdicts):
        assert verdict == oracle.goes_on(seen_by(batches[:at]), batches[at], **told)


@every_kind
@PLENTY
@given(batches=arrivals(), said=settings_, data=st.data())
def test_the_averages_of_a_student_that_come_together_share_its_fate(kind, batches, said, data):
    turns = data.draw(STUDENTS)
    for batch, on in zip(batches, play(kind(**said), batches, turns=turns), strict=True):
        (finite,) = finite_of([batch])
        assert on == {i for i in finite if turns[i] in {turns[j] for j in on}}


def test_one_average_among_the_best_takes_its_student_on():
    """Students a, b and c have two averages each, and one of them goes on: that of the best."""
    batch = {
        0: (0.0, 0.0),
        1: (9.0, 9.0),
        2: (1.0, 1.0),
        3: (1.0, 1.1),
        4: (2.0, 2.0),
        5: (3.0, 3.0),
    }
    (on,) = play(Asha(factor=3), [batch], turns={i: i // 2 for i in batch})
    assert on == {0, 1}


BEHIND = st.dictionaries(st.integers(0, 14), st.sampled_from([0.0, 0.5, 1.0, 1.5]), min_size=4)


@PLENTY
@given(batches=arrivals(most=9), factor=st.integers(2, 4), behind=BEHIND, students=STUDENTS)
def test_who_is_behind_is_worse_than_who_is_not(batches, factor, behind, students):
    rung = Asha(factor=factor).rung(NOWHERE)
    told = {"factor": factor, "reference": NOWHERE, "behind": behind, "students": students}
    for at, batch in enumerate(batches):
        on = rung.judge(batch, students, behind)
        assert on == oracle.goes_on(seen_by(batches[:at]), batch, **told)


@every_kind
@PLENTY
@given(batch=arrivals(most=20).map(seen_by), said=settings_, behind=BEHIND)
def test_nobody_behind_goes_on_in_the_place_of_one_who_is_not(kind, batch, said, behind):
    ladder = kind(**said).ladder(TASKS, NOWHERE)
    on = ladder.judge(2, batch, apart_in_one_bracket(ladder), behind)
    if len(batch) >= said["factor"] and any(behind.get(i, 0) for i in on):
        assert on >= {i for i in finite_of([batch])[0] if not behind.get(i, 0)}


@every_worth
def test_merits_order_a_long_front_as_defined(worth):
    rng = np.random.default_rng(1)
    for _ in range(8):
        steps = rng.integers(1, 9, (2, 11)).cumsum(axis=1)
        front = np.stack([steps[0], steps[1, ::-1]], axis=1).astype(float)
        corner = np.array([90.0, 90.0])
        defined = getattr(oracle, worth().kind)([tuple(row) for row in front], tuple(corner))
        np.testing.assert_allclose(worth().merits(front, corner), defined)


@every_worth
@PLENTY
@given(batches=arrivals(most=20), factor=st.integers(2, 4))
def test_halving_compares_each_batch_with_itself(worth, batches, factor):
    halving = Rungs.kinds["halving"](factor=factor, within=worth())
    defined = getattr(oracle, worth().kind)
    expected = [
        oracle.goes_on({}, batch, factor=factor, reference=NOWHERE, grace=1, worth=defined)
        for batch in batches
    ]
    assert play(halving, batches) == expected


@PLENTY
@given(batches=arrivals(most=20), factor=st.integers(2, 4), data=st.data())
def test_hyperband_is_asha_in_each_bracket(batches, factor, data):
    spec = Hyperband(factor=factor, brackets=data.draw(st.sampled_from([None, 2])))
    played = Play(spec)
    early = {i for i in range(20) if 2 in played.ladder.levels(i)}
    ours = [{i: c for i, c in b.items() if i in early} for b in batches]
    others = [b.keys() - early for b in finite_of(batches)]
    within = play(Asha(factor=factor), ours)
    expected = [a | b for a, b in zip(within, others, strict=True)]
    assert [played.judge(batch) for batch in batches] == expected


def test_brackets_have_the_shares_of_the_paper():
    ladder = Hyperband(factor=3).ladder(10, NOWHERE)  # K = 2: ceil(3/3 * 9), ceil(3/2 * 3), 3
    found = [ladder.levels(turn) for turn in range(17)]
    assert {levels: found.count(levels) for levels in found} == {(2, 6): 9, (6,): 5, (): 3}
    assert dealt([3, 2]) == (0, 1, 0, 1, 0)
    two = Hyperband(factor=3, brackets=2).ladder(10, NOWHERE)
    assert {two.levels(turn) for turn in range(20)} == {(2, 6), (6,)}


@every_kind
def test_levels_are_integers_and_never_the_last_task(kind):
    assert kind().levels(5) == (2,)
    assert kind().levels(20) == (2, 6, 18)
    assert kind().levels(18) == (2, 6)
    assert kind().levels(2) == ()
    # 3**5: floating point logarithms lose the last of these.
    assert powers(1, factor=3, below=244) == (1, 3, 9, 27, 81, 243)


@every_kind
def test_rungs_are_judged_apart(kind):
    ladder = kind().ladder(10, NOWHERE)
    turns = apart_in_one_bracket(ladder)
    assert ladder.judge(2, {0: (0.1, 0.1), 1: (0.2, 0.2), 2: (0.9, 0.9)}, turns) == {0}
    assert ladder.judge(6, {2: (0.9, 0.9)}, turns) == {2}


def test_asha_stops_who_is_dominated_by_all_once_the_rung_holds_factor():
    first, second, third = play(Asha(), [{0: (0.0, 1.0)}, {1: (2.0, 2.0)}, {2: (3.0, 3.0)}])
    assert first | second == {0, 1}
    assert third == set()


def test_a_newcomer_to_a_pure_front_is_not_stopped_for_coming_late():
    """Up to rescaling nothing tells its members apart: there is no reason to stop any."""
    batches = [{i: (float(i), -float(i))} for i in range(12)]
    assert play(Asha(), batches) == [{i} for i in range(12)]


def test_a_copy_of_the_best_is_as_good_as_the_best():
    """Copies share what one of them is worth: they do not cancel each other out."""
    corners = {0: (0.0, 2.0), 3: (2.0, 0.0), 4: (3.0, 3.0), 5: (3.0, 3.0)}
    (verdict,) = play(Asha(), [corners | {1: (1.0, 1.0), 2: (1.0, 1.0)}])
    assert verdict == {1, 2}


@pytest.mark.parametrize("objectives", [2, 3])
def test_a_long_study_is_judged_as_if_all_were_ranked_anew(objectives):
    """Rows get better as a search does, some are seen again, and batches are of any size."""
    rng = np.random.default_rng(objectives)
    rows = rng.random((1500, objectives)) + np.linspace(0.5, 0.0, 1500)[:, None]
    rows[rng.integers(0, 1500, 200)] = rows[rng.integers(0, 1500, 200)]
    reference = np.full(objectives, 1.2)
    rung = Rung(factor=3, reference=reference, worth=Contribution(), grace=3)
    edges = [0, *sorted(set(rng.integers(3, 1500, 90).tolist())), 1500]
    for start, end in pairwise(edges):
        batch = dict(enumerate(rows[start:end], start))
        verdict = rung.judge(batch, {i: i for i in batch})
        kept = oracle.among_best(rows[:end], -(-end // 3), reference)
        assert verdict == {i for i in range(start, end) if kept[i]}
