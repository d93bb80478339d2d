"""The laws of what samplers make of pruned candidates; and of each kind what it says, told otherwise."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import studyfile
from search.engines.virtual import Fleet
from search.pruned import Pruned
from search.pruned.bad import Bad
from search.pruned.forecast import Forecast
from search.pruned.ignored import Ignored
from search.pruned.rungs import Rungs
from search.samplers.base import Told
from search.samplers.suggestions import Suggestions
from search.samplers.tpe import Tpe
from search.simulation import Unwritten, simulate
from search.study import Study
from search.worlds import Arc
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.space import Space
from tests.contracts.cases import specs_of
from tests.search.running import TEXT

OBJECTIVES = Objectives.of({"plasticity": "max", "forgetting": "min"})
SPACE = Space(
    {"x": Range(0.0, 1.0), "s": Choice(({"kind": "a"}, {"kind": "b", "y": Range(0.0, 1.0)}))}
)
SIX = ("budget.candidates=90", "scenario.tasks=6")
FILE = studyfile.read_text(TEXT, "tiny.yaml", SIX)
each_kind = pytest.mark.parametrize("kind", sorted(Pruned.kinds))


def told_of(candidate, x, y=0.5):
    """A candidate as it ended: its rungs are after 2 and 4 tasks, and two in three are pruned."""
    row = (x - y, x * x)
    values, rungs = None, {2: row}
    if candidate % 3 == 1:
        rungs[4] = (row[0] + 0.1 * x, row[1] * 1.2)
    if candidate % 3 == 2:
        rungs[4] = (row[0] + 0.2 * y, row[1] * 1.1)
        values = (row[0] + 0.3, row[1] - 0.4 * row[0] + 0.1)
    state = "pruned" if values is None else "complete"
    return Told(candidate=candidate, state=state, values=values, at_rungs=rungs)


def tell(suggestions, told):
    suggestions.tell(told.candidate, told.state, told.values, at_rungs=told.at_rungs)


def asked(spec, many):
    """A sampler that was asked for ``many``, and how each ended; none is told yet."""
    suggestions = Suggestions(Tpe(startup=5, pruned=spec), SPACE, OBJECTIVES, 3)
    drawn = [suggestions.ask(candidate).knobs for candidate in range(many)]
    ends = [told_of(c, knobs["x"], knobs.get("s.1.y", 0.5)) for c, knobs in enumerate(drawn)]
    return suggestions, drawn, ends


def proposals(suggestions, numbers=range(200, 206)):
    return [suggestions.ask(candidate).knobs for candidate in numbers]


@each_kind
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_nobody_is_in_two_tiers_and_the_complete_are_in_the_first(kind, data):
    spec = data.draw(specs_of(Pruned.kinds[kind]))
    numbers = sorted(data.draw(st.sets(st.integers(0, 60), max_size=40)))
    xs = np.random.default_rng(len(numbers)).random(61)
    ended = [told_of(c, xs[c]) for c in numbers]
    tiers = spec.tiers(ended, OBJECTIVES)
    found = [c for tier in tiers for c in tier.candidates]
    assert len(found) == len(set(found)) and set(found) <= set(numbers)
    assert {t.candidate for t in ended if t.values is not None} <= set(tiers[0].candidates)
    assert len(tiers) == 1 or not spec.alone
    for tier in tiers:
        assert tier.candidates == tuple(sorted(tier.candidates))
        assert tier.costs.shape == (len(tier.candidates), 2) and np.isfinite(tier.costs).all()
        assert tier.excess.shape == (len(tier.candidates),)


@each_kind
def test_without_pruned_candidates_all_kinds_are_alike(kind):
    ends = [told_of(c, c / 60) for c in range(2, 60, 3)]
    for many in (0, 1, 7, 20):
        (bad,), (tier,) = (s.tiers(ends[:many], OBJECTIVES) for s in (Bad(), Pruned.kinds[kind]()))
        assert tier.candidates == bad.candidates
        assert (tier.costs == bad.costs).all() and (tier.excess == bad.excess).all()


@each_kind
def test_between_two_asks_the_order_of_what_is_told_is_nothing(kind):
    found = []
    for backwards in (False, True):
        suggestions, _, ends = asked(Pruned.kinds[kind](), 40)
        for told in ends[::-1] if backwards else ends:
            tell(suggestions, told)
        found.append(proposals(suggestions))
    assert found[0] == found[1]


@each_kind
def test_a_study_that_is_resumed_proposes_what_it_would_have(kind):
    file = studyfile.read_text(TEXT, "tiny.yaml", [*SIX, f"sampler.pruned={{kind: {kind}}}"])
    world = Arc(knobs=file.space.knobs(), trade="recipe.optimizer.lr", tasks=6)
    seen = []

    def cut(study, _):
        if len(study.history.outcomes) > 12 * (1 + len(seen)):
            risen = Study(file, Unwritten(), copy.deepcopy(study.history), lambda: 0.0)
            lived, again = copy.deepcopy(study._suggestions), risen._suggestions
            assert proposals(lived, range(200, 203)) == proposals(again, range(200, 203))
            seen.append(study.history.counts()["pruned"])
        return False

    simulate(file, world, Fleet(workers=3), cut)
    assert len(seen) > 3 and seen[-1] > 10


def test_a_study_tells_what_candidates_were_at_their_rungs():
    """As fronts after so many tasks have it: the objectives of the records until then."""
    world = Arc(knobs=FILE.space.knobs(), trade="recipe.optimizer.lr", tasks=6)
    ends = {}

    def watch(study, _):
        ends.update(study._suggestions._proposer._ended)
        return False

    history = simulate(FILE, world, Fleet(workers=2), watch).history
    assert len(ends) > 60
    for candidate, told in ends.items():
        outcome = history.outcomes[candidate]
        due = {2, 4} if outcome.state == "complete" else {2, outcome.task + 1}
        assert set(told.at_rungs) == due
        for level, row in told.at_rungs.items():
            rows = history.rows(candidate)[:level]
            plasticity = np.mean([rows[k][k] for k in range(level)])
            assert row[0] == pytest.approx(plasticity)
        if outcome.state == "pruned":
            names = FILE.objectives.names
            last = told.at_rungs[outcome.task + 1]
            assert last == pytest.approx(tuple(outcome.values[n] for n in names))


def test_who_is_ignored_might_as_well_never_have_been_asked_for():
    suggestions, drawn, ends = asked(Ignored(), 60)
    without = Suggestions(Tpe(startup=5), SPACE, OBJECTIVES, 3)
    for told in ends:
        tell(suggestions, told)
        if told.values is not None:
            without.replay(told.candidate, drawn[told.candidate], {})
            tell(without, told)
    assert proposals(suggestions) == proposals(without)


def test_a_forecast_counts_as_if_it_had_been_measured():
    """Told as complete with what numpy's own least squares, with a column of ones, makes of its rung."""
    suggestions, _, ends = asked(Forecast(enough=5), 60)
    measured, _, _ = asked(Bad(), 60)
    whole, due = [t for t in ends if t.values is not None], []
    for told in ends:
        tell(suggestions, told)
        values = told.values
        if values is None:
            level = max(told.at_rungs)
            x = np.array([[1.0, *t.at_rungs[level]] for t in whole])
            b = np.linalg.lstsq(x, np.array([t.values for t in whole]), rcond=None)[0]
            values = tuple(np.array([1.0, *told.at_rungs[level]]) @ b)
        measured.tell(told.candidate, "complete", values)
        due.append(values)
    (tier,) = Forecast(enough=5).tiers(ends, OBJECTIVES)
    assert tier.costs == pytest.approx(OBJECTIVES.costs(np.array(due)))
    bad, _, _ = asked(Bad(), 60)
    for told in ends:
        tell(bad, told)
    found = proposals(suggestions)
    assert found == proposals(measured) and found != proposals(bad)


def test_what_too_few_tell_is_not_forecast():
    ends = [told_of(c, c / 30) for c in range(12)]  # four are complete
    (tier,) = Forecast(enough=5).tiers(ends, OBJECTIVES)
    assert tier.candidates == (2, 5, 8, 11)
    (tier,) = Forecast(enough=4).tiers(ends, OBJECTIVES)
    assert tier.candidates == tuple(range(12))


def test_good_and_bad_are_told_apart_at_the_highest_rung_that_enough_came_to():
    ends = [told_of(c, c / 30) for c in range(12)]
    parted = {
        4: [(2, 5, 8, 11), (1, 4, 7, 10), (0, 3, 6, 9)],
        8: [(1, 2, 4, 5, 7, 8, 10, 11), (0, 3, 6, 9)],
        9: [tuple(range(12))],
        99: [tuple(range(12))],
    }
    for enough, due in parted.items():
        tiers = Rungs(enough=enough).tiers(ends, OBJECTIVES)
        assert [tier.candidates for tier in tiers] == due
        levels = {4: (None, 4, 2), 8: (4, 2), 9: (2,), 99: (2,)}[enough]
        for tier, level in zip(tiers, levels, strict=True):
            rows = [
                ends[c].values if level is None else ends[c].at_rungs[level]
                for c in tier.candidates
            ]
            assert (tier.costs == OBJECTIVES.costs(np.array(rows))).all()
