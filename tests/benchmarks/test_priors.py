"""The priors that are compared are those that a file would set."""

from __future__ import annotations

from benchmarks import priors
from benchmarks.arenas import synthetic

ARENA = synthetic()


def test_they_are_read_where_the_knobs_are():
    known = ARENA.file.space.knobs()
    ways = {name: 0.2 for name in known if name != "recipe.strategy"}
    assert ways.keys() >= {"recipe.strategy.1.agreement", "averager.0.momentum"}
    file = ARENA.study(*priors.overrides(ARENA, ways), seed=1, candidates=8)
    for name, way in ways.items():
        assert file.space.knobs()[name].prior == known[name].at(way)


def test_wrong_ones_are_at_the_farther_end():
    assert priors.wrong({"a": 0.1, "b": 0.5, "c": 0.9}) == {"a": 1.0, "b": 0.0, "c": 0.0}
