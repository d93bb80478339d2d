"""Traces: every measure at every moment is that of what was known by then."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from search import studyfile
from search.engines.virtual import Fleet
from search.simulation import simulate
from search.traces import Trace
from search.worlds import Arc
from spaces.fronts import additive_epsilon, hypervolume, igd_plus
from tests.search.running import TEXT

POINTS = st.integers(0, 12).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.integers(0, 6).map(lambda i: i / 8))
)
TRUE = np.array([[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]])


def trace(costs):
    n = len(costs)
    return Trace(costs=costs, seconds=np.arange(1.0, n + 1), ended=np.arange(1, n + 1))


@given(POINTS)
def test_each_moment_is_of_what_was_known_then(costs):
    found, worst = trace(costs), np.ones(2)
    curves = found.hypervolumes(worst), found.epsilons(TRUE), found.igds(TRUE)
    for k in range(1, len(costs) + 1):
        known = costs[:k]
        told = hypervolume(known, worst), additive_epsilon(known, TRUE), igd_plus(known, TRUE)
        assert [c[k - 1] for c in curves] == pytest.approx(list(told))
        assert hypervolume(found.front(k + 0.5), worst) == pytest.approx(told[0])
        assert found.after(curves[0], k + 0.5, before=0.0) == pytest.approx(told[0])


def test_levels_are_reached_when_first_met():
    found = trace(np.array([[0.5, 0.5], [0.9, 0.9], [0.25, 0.25], [0.0, 0.0]]))
    curve = found.hypervolumes(np.ones(2))
    assert list(curve) == [0.25, 0.25, 0.5625, 1.0]
    assert [found.reaches(curve, level) for level in (0.1, 0.25, 0.3, 1.0)] == [1, 1, 3, 4]
    assert found.reaches(curve, 1.1) == np.inf
    assert found.after(curve, 0.5, before=0.0) == 0.0


def test_costs_are_counted_when_they_are_told():
    file = studyfile.read_text(TEXT, "tiny.yaml", ["sampler={kind: random}"])
    world = Arc(knobs=file.space.knobs(), trade="recipe.optimizer.lr", tasks=4)
    history = simulate(file, world, Fleet(workers=3)).history
    found = Trace.of(history, file.goals)
    complete = history.in_state("complete")
    assert len(found.costs) == len(complete) > 3
    for k, c in enumerate(complete):
        at = history.outcomes[c].at
        records = [r for of in history.records.values() for r in of.values() if r.at <= at]
        assert found.seconds[k] == pytest.approx(sum(r.seconds for r in records))
        assert found.ended[k] == list(history.outcomes).index(c) + 1
    curve = found.hypervolumes(file.objectives.reference_cost)
    assert curve[-1] == pytest.approx(history.hypervolume(file.goals))
    assert (np.diff(curve) >= 0).all()
