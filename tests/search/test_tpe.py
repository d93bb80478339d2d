"""TPE asks less of the processor than Optuna's does, and of the study exactly the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import TPESampler

from search.samplers import tpe
from search.samplers.suggestions import Suggestions
from search.samplers.tpe import Tpe
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.space import Space

SPACE = Space(
    {
        "recipe": {
            "lr": Range(1e-3, 1.0, "log"),
            "strategy": Choice(({"kind": "a"}, {"kind": "b", "x": Range(0.01, 10.0, "log")})),
        },
        "averager": Choice(
            (
                {"momentum": Range(0.0, 0.9999, "near_one"), "every": Range(1, 50, whole=True)},
                {"start": Range(-2.0, 3.0)},
                {"kind": "student"},
            )
        ),
    }
)
MANY = Objectives.of({"plasticity": "max", "forgetting": "min"})
ONE = Objectives.of({"plasticity": "max"})


@dataclass
class Optunas:
    """Optuna's sampler, as it comes."""

    startup: int = 5

    def optuna_sampler(self, ask):
        return TPESampler(n_startup_trials=self.startup, n_ei_candidates=24, seed=ask.own_seed)


def drawn(sampler, objectives, plan, seed, *, limited=False):
    """What a study asks for: ``plan`` says, ask by ask, whether the student stays, and who ends how."""
    suggestions, found, running, fixed = Suggestions(sampler, SPACE, objectives, seed), [], [], {}
    rng = np.random.default_rng(seed)
    for candidate, (stays, endings) in enumerate(plan):
        got = suggestions.ask(candidate, fixed if stays else {})
        fixed = {n: v for n, v in got.knobs.items() if n.startswith("recipe.")}
        found.append(got.knobs)
        running.append(candidate)
        for ending in endings:
            if running:
                values = rng.integers(0, 4, len(objectives.names)).tolist()  # many are equal
                told = values if ending == "complete" else None
                limits = {"forgetting": float(rng.integers(-2, 3))} if limited else {}
                if ending == "pruned":
                    limits = dict.fromkeys(limits, np.inf)
                ended = running.pop(int(rng.integers(len(running))))
                suggestions.tell(ended, ending, told, limits)
    return found


ENDINGS = st.lists(st.sampled_from(["complete", "complete", "pruned", "failed"]), max_size=3)


@pytest.mark.parametrize("objectives", [MANY, ONE], ids=["two", "one"])
@settings(deadline=None, max_examples=15)
@given(
    plan=st.lists(st.tuples(st.booleans(), ENDINGS), min_size=10, max_size=40),
    seed=st.integers(0, 99),
    limited=st.booleans(),
)
def test_proposes_what_optunas_own_does(objectives, plan, seed, limited):
    ours = drawn(Tpe(startup=5), objectives, plan, seed, limited=limited)
    assert ours == drawn(Optunas(), objectives, plan, seed, limited=limited)


def test_a_long_study_in_waves_too():
    """Past 25 trials older ones weigh less, so their order counts; waves end out of order."""
    wave = [(k > 0, []) for k in range(8)]
    ends = [(False, ["complete", "pruned", "complete"])] * 8
    plan = [*wave, *ends] * 8
    assert drawn(Tpe(), MANY, plan, 3) == drawn(Optunas(startup=10), MANY, plan, 3)


def test_trials_are_divided_once_for_all_asks_between_two_tells(monkeypatch):
    divided = []
    split = tpe._split_trials
    monkeypatch.setattr(tpe, "_split_trials", lambda *given: divided.append(1) or split(*given))
    drawn(Tpe(startup=1), MANY, [(False, ["complete"]), *[(False, [])] * 10], 0)
    assert len(divided) == 2  # once before the one that is told, once after
