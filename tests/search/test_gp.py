"""What the Gaussian processes model stays bounded, however long the study."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.samplers import GPSampler

from search.samplers.gp import Gp, modelled
from search.samplers.suggestions import Suggestions
from spaces import fronts
from spaces.domains import Range
from spaces.objectives import Objectives
from spaces.space import Space

SPACE = Space({"x": Range(0.0, 1.0), "y": Range(0.0, 1.0)})


@pytest.mark.parametrize("many", [1, 9, 10, 11, 300])
def test_the_front_and_others_all_over_the_study_stand_for_all(many):
    costs = np.random.default_rng(many).random((many, 2))
    rows = modelled(costs, 10)
    assert rows == sorted(set(rows)) and len(rows) == min(many, 10)
    if many == 300:
        rank = fronts.ranks(costs)
        assert sorted(rank[rows])[:5] == sorted(rank)[:5]
        assert min(rows) < 30 and max(rows) > 270


def test_no_more_are_ever_given_to_the_processes(monkeypatch):
    given = []

    def impl(self, study, completed, running, space):
        given.append(len(completed))
        return {}

    monkeypatch.setattr(GPSampler, "_sample_relative_impl", impl)
    objectives = Objectives.of({"a": "max", "b": "min"})
    suggestions = Suggestions(Gp(startup=5, most=20), SPACE, objectives, 0)
    for candidate in range(60):
        knobs = suggestions.ask(candidate).knobs
        suggestions.tell(candidate, "complete", [knobs["x"], knobs["y"]])
    assert given[:3] == [5, 6, 7] and set(given[15:]) == {20}


def test_the_improvement_is_looked_at_less_closely_than_optuna_does():
    theirs, ours = vars(GPSampler()), vars(Gp().optuna_sampler(0))
    for name in ("_n_qmc_samples_ehvi", "_n_qmc_samples_qei", "_n_preliminary_samples"):
        assert ours[name] * 4 <= theirs[name]
    assert ours["_n_local_search"] < theirs["_n_local_search"]
