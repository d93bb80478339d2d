"""The laws of claims, on every kind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from search.claims import Claim
from search.evidence import Evidence, Trial
from spaces.objectives import Objectives
from spaces.specs import validate

OBJECTIVES = Objectives.of({"plasticity": "max", "stability": "max"})
SAID = {
    "trend": {"metric": "accuracy", "knob": "averager.momentum", "goes": "up", "of": "gain"},
    "better": {"these": {"averager": "ema"}, "those": {"averager": "uniform"}},
    "gain": {"metric": "accuracy", "where": {"averager": "ema"}},
}


def claim(kind, **other):
    made = validate(Claim, {"kind": kind, "source": "arXiv:0", "says": "so", **SAID[kind], **other})
    assert isinstance(made, Claim), made
    return made


def trial(student, momentum, *, gain=0.0, kind="ema", base=0.5):
    config = {"recipe": {"lr": student}, "averager": {"kind": kind, "momentum": momentum}}
    values = dict.fromkeys(("accuracy", "plasticity", "stability"), base + gain)
    values |= {f"student_{name}": base for name in ("accuracy", "plasticity", "stability")}
    return Trial(student=str(student), config=config, values=values)


def showing(direction, students=12):
    """Averages whose gain, and that over the uniform average, rises with their momentum, or falls."""
    rng = np.random.default_rng(3)
    trials = []
    for student in range(students):
        for momentum in rng.uniform(0.5, 0.99, 4):
            gain = direction * 0.1 * momentum + rng.normal(0, 0.003)
            trials.append(trial(student, float(momentum), gain=gain))
        trials.append(trial(student, None, kind="uniform"))
    return Evidence(trials=trials, objectives=OBJECTIVES)


def test_every_kind_is_among_them():
    assert SAID.keys() == Claim.kinds.keys()


@pytest.mark.parametrize("kind", Claim.kinds)
def test_what_shows_it_agrees_and_the_contrary_disagrees(kind):
    assert claim(kind).judge(showing(1)).verdict == "agrees"
    assert claim(kind).judge(showing(-1)).verdict == "disagrees"


@pytest.mark.parametrize("kind", Claim.kinds)
def test_the_same_evidence_gives_the_same_finding(kind):
    first, again = claim(kind).judge(showing(1)), claim(kind).judge(showing(1))
    assert first == again
    assert first.low <= first.figure <= first.high


@pytest.mark.parametrize("kind", Claim.kinds)
@pytest.mark.parametrize("students", [0, 2])
def test_too_little_is_undecided(kind, students):
    finding = claim(kind).judge(showing(1, students))
    assert (finding.verdict, finding.figure, finding.low, finding.high) == (
        "undecided",
        *[None] * 3,
    )
    assert finding.students == students


@pytest.mark.parametrize("kind", Claim.kinds)
def test_nothing_to_see_is_undecided(kind):
    rng = np.random.default_rng(0)
    trials = [
        trial(s, float(rng.uniform()), gain=rng.normal(), kind=kind, base=rng.normal())
        for s in range(20)
        for kind in ("ema", "uniform")
    ]
    assert claim(kind).judge(Evidence(trials=trials, objectives=OBJECTIVES)).verdict == "undecided"


@pytest.mark.parametrize("kind", Claim.kinds)
def test_candidates_that_lack_a_measurement_do_not_count(kind):
    whole = showing(1)
    lacking = [dataclasses.replace(t, values={}, student="new") for t in whole.trials[:3]]
    more = Evidence(trials=[*whole.trials, *lacking], objectives=OBJECTIVES)
    assert claim(kind).judge(more) == claim(kind).judge(whole)


@pytest.mark.parametrize("kind", Claim.kinds)
def test_averages_of_one_student_are_not_so_many_students(kind):
    """An interval does not shrink because every candidate is there twice."""
    whole = showing(1)
    twice = Evidence(trials=[t for t in whole.trials for _ in range(2)], objectives=OBJECTIVES)
    one, two = claim(kind).judge(whole), claim(kind).judge(twice)
    assert two.candidates == 2 * one.candidates and two.students == one.students
    assert two.high - two.low > 0.7 * (one.high - one.low)
