"""The figures of claims against plain ones, and what a study file may claim."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from search.claims import Claim
from search.claims.trend import correlation
from search.evidence import Evidence, Trial, evidence_of, setting
from search.studyfile import read_text
from search.verdicts import findings
from spaces.objectives import Objectives
from spaces.specs import SpecError, validate
from tests.search.running import TEXT, finish, opened

OBJECTIVES = Objectives.of({"plasticity": "max", "forgetting": "min"})
SAID = """claims:
  - kind: trend
    source: "arXiv:2411.18704"
    says: Gains shrink.
    metric: plasticity
    of: gain
    knob: averager.momentum
    goes: down
  - {kind: better, source: ours, says: b, these: {averager: ema}, those: {averager: student}}
  - {kind: gain, source: ours, says: c, metric: stability, where: {averager.kind: [ema]}}
"""


def claim(kind, **fields):
    made = validate(Claim, {"kind": kind, "source": "ours", "says": "so", **fields})
    assert isinstance(made, Claim), made
    return made


def evidence(rng, count=40):
    """One average a student, alternately of two kinds."""
    trials = []
    for n in range(count):
        average, student = rng.uniform(size=(2, 2)).round(1)
        values = dict(zip(("plasticity", "forgetting"), average, strict=True))
        values |= dict(zip(("student_plasticity", "student_forgetting"), student, strict=True))
        config = {"averager": {"kind": "ab"[n % 2], "momentum": round(rng.uniform(), 1)}}
        trials.append(Trial(student=str(n), config=config, values=values))
    return Evidence(trials=trials, objectives=OBJECTIVES)


@pytest.mark.parametrize("of", ["value", "gain"])
def test_rho_is_spearmans(of):
    seen = evidence(np.random.default_rng(1))
    rows = np.random.default_rng(2).integers(40, size=40)
    trend = claim("trend", metric="forgetting", knob="averager.momentum", goes="up", of=of)
    x = [seen.trials[r].config["averager"]["momentum"] for r in rows]
    y = [seen.trials[r].values["forgetting"] for r in rows]
    if of == "gain":  # less forgetting is better
        y = [seen.trials[r].values["student_forgetting"] - v for r, v in zip(rows, y, strict=True)]
    assert trend.figure(seen)(rows) == pytest.approx(spearmanr(x, y).statistic)


def test_what_does_not_vary_correlates_with_nothing():
    assert np.isnan(correlation(np.ones(4), np.arange(4.0)))


def test_the_better_half_by_its_median_its_best_and_its_front():
    seen = evidence(np.random.default_rng(1))
    rows = np.arange(40)
    groups = {"these": {"averager": "a"}, "those": {"averager": "b"}}

    def metric(name, start):
        return [t.values[name] for t in seen.trials[start::2]]

    median = claim("better", metric="forgetting", by="median", **groups).figure(seen)(rows)
    assert median == pytest.approx(
        np.median(metric("forgetting", 1)) - np.median(metric("forgetting", 0))
    )
    best = claim("better", metric="plasticity", **groups).figure(seen)(rows)
    assert best == pytest.approx(max(metric("plasticity", 0)) - max(metric("plasticity", 1)))
    front = claim("better", **groups).figure(seen)(rows)
    areas = [_area(metric("plasticity", s), metric("forgetting", s)) for s in (0, 1)]
    assert front == pytest.approx(areas[0] - areas[1])


def _area(plasticity, forgetting):
    """The share of a fine grid of [0, 1] x [0, 1] that is dominated, cells being of 0.1."""
    cells = [(p + 0.05, f + 0.05) for p in np.arange(0, 1, 0.1) for f in np.arange(0, 1, 0.1)]
    points = list(zip(plasticity, forgetting, strict=True))
    return sum(any(p > x and f < y for p, f in points) for x, y in cells) / 100


def test_a_best_is_of_equally_many():
    """The more there are of a group, the better its best: that must not count."""
    rng = np.random.default_rng(0)
    trials = [
        Trial(
            student=str(n),
            config={"averager": {"kind": "a" if n % 20 else "b"}},
            values={"plasticity": float(rng.normal())},
        )
        for n in range(400)
    ]
    seen = Evidence(trials=trials, objectives=OBJECTIVES)
    best = claim(
        "better", metric="plasticity", these={"averager": "a"}, those={"averager": "b"}
    ).judge(seen)
    assert abs(best.figure) < 1 and best.verdict == "undecided"


def test_gains_are_over_the_student():
    seen, rows = evidence(np.random.default_rng(1)), np.arange(40)
    own = np.array([t.values["forgetting"] for t in seen.trials])
    student = np.array([t.values["student_forgetting"] for t in seen.trials])
    median = claim("gain", metric="forgetting").figure(seen)(rows)
    assert median == pytest.approx(np.median(student - own))
    best = claim("gain", metric="forgetting", by="best").figure(seen)(rows)
    assert best == pytest.approx(student.min() - own.min())


@pytest.mark.parametrize(
    "path, due",
    [
        ("a", "x"),
        ("a.kind", "x"),
        ("a.b", 3),
        ("list.1", "y"),
        ("list.1.c", 4),
        ("list.2", None),
        ("list.c", None),
        ("a.b.c", None),
        ("none", None),
    ],
)
def test_settings_by_path(path, due):
    config = {"a": {"kind": "x", "b": 3}, "list": [1, {"kind": "y", "c": 4}], "none": None}
    assert setting(config, path) == due


def test_a_condition_is_met_by_any_of_its_values():
    seen = evidence(np.random.default_rng(1), count=3)
    assert seen.meeting({"averager": ["a", "c"]}).tolist() == [True, False, True]
    assert seen.meeting({"averager": "b", "recipe.merge": None}).tolist() == [False, True, False]
    assert seen.meeting({}).all()


def test_a_study_judges_its_claims(tmp_path):
    with opened(tmp_path / "study", "rungs=null", text=TEXT + SAID) as study:
        history = finish(study)
        found = findings(history, study.file)
        assert [f.says for f in found] == ["Gains shrink.", "b", "c"]
        assert all(f.figure is not None for f in found)
        assert found[1].candidates == len(history.in_state("complete")) == 24
        seen = evidence_of(history, study.file)
        assert len({t.student for t in seen.trials}) == found[1].students


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("metric: plasticity", "metric: plasticty",
         "21: claims.0.trend.metric: unknown metric 'plasticty' (did you mean 'plasticity'?)"),
        ("metric: plasticity", "metric: nll",
         "21: claims.0.trend.metric: nll is not recorded: add it to the study's metrics"),
        ("averager.momentum", "averager.momentm", ("23: claims.0.trend.knob: no configuration of this "
         "study says averager.momentm (did you mean 'averager.momentum'?)")),
        ("averager.momentum", "averager.kind",
         "23: claims.0.trend.knob: averager.kind is never a number in this study"),
        ("{averager: ema}", "{averager: emma}",
         "25: claims.1.better.these.averager: averager is never 'emma' (did you mean 'ema'?)"),
        ("{averager: ema}", "{averager.every: 7}",
         "25: claims.1.better.these.averager.every: averager.every is never 7 (one of 1, 5, null)"),
        ("{averager: ema}", "{averager: {kind: ema}}", ("25: claims.1.better.these.averager: a word, a "
         "number, null or a list of these is due, got a mapping")),
        ("{averager: ema}", "{averager: !choice [ema, student]}",
         "25: claims.1.these.averager: a hole may stand under recipe and averagers only, got !choice"),
        ("says: b,", "says: b, by: median,", ("25: claims.1.better: by: a front has a hypervolume, "
         "candidates have none: write best")),
        ("kind: gain", "kind: gian", "26: claims.2: unknown kind 'gian' (did you mean 'gain'?)"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(old, new, problem):
    text = TEXT + SAID
    assert old in text
    with pytest.raises(SpecError) as error:
        read_text(text.replace(old, new), "study.yaml")
    assert error.value.problems == [f"study.yaml:{problem}"]
