"""What reports say of a candidate that was trained with several seeds."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from reports import export, frames, fronts, listing, pages
from reports.tracker.curves import Curve
from search.events import Asked, Queued
from search.evidence import evidence_of
from search.studyfile import read_text
from tests.reports import studies


def repeated():
    """As ``studies.small``; 1 has a second seed that is worse, and 2 one that failed."""
    history = studies.small()
    for number, first, values, state in [
        (7, 1, (0.7, 0.6), "complete"),
        (8, 2, (0.9, 0.9), "failed"),
    ]:
        config = history.candidates[first].config
        seeded = config | {"recipe": config["recipe"] | {"seed": 1}}
        events = [
            Asked(candidate=number, knobs={}, config=seeded, repeats=first),
            Queued(job=number, members=((number,),), seed=11),
            *studies.ended(number, values, at=5.0, state=state),
        ]
        for event in events:
            history.add(event)
    return history


def test_the_front_is_of_means_and_says_how_sure_it_is():
    history = repeated()
    front = fronts.of(history, studies.study_of(history))
    assert [(r.candidate, r.seeds) for r in front.rows] == [(0, 1), (1, 2)]
    assert front.rows[1].values == pytest.approx({"plasticity": 0.75, "stability": 0.6})
    assert front.rows[1].errors == pytest.approx({"plasticity": 0.05, "stability": 0.0})
    assert front.to_json()["front"][1]["seeds"] == 2
    assert "seeds" not in front.to_json()["front"][0]
    out = io.StringIO()
    listing.render(front, Console(file=out, width=160))
    assert "0.7500 ± 0.0500" in out.getvalue()
    assert "means ± standard errors over 1 to 2 seeds" in out.getvalue()
    page = pages.page(history, studies.study_of(history))
    assert "0.7500 ± 0.0500" in page
    assert "2 repeats" in page


def test_an_exported_candidate_says_which_seed_scored_what():
    history = repeated()
    told = export.provenance(history, 1, "here")
    assert [(s["candidate"], s["seed"]) for s in told["seeds"]] == [(1, 0), (7, 1)]
    assert told["means"]["plasticity"] == pytest.approx(0.75)
    assert told["values"]["plasticity"] == pytest.approx(0.8)  # its own: what its seed reproduces
    assert "seeds" not in export.provenance(history, 0, "here")


def test_repeats_are_rows_of_their_own_and_on_no_front():
    history = repeated()
    table = frames.candidates(history, studies.study_of(history))
    assert table["on_front"].tolist() == [True, True] + [False] * 7
    assert table["state"].tolist()[7:] == ["complete", "failed"]


def test_claims_are_judged_by_means():
    history = repeated()
    trials = evidence_of(history, studies.study_of(history)).trials
    assert [t.values["plasticity"] for t in trials] == pytest.approx([0.9, 0.75, 0.7])


def test_the_hypervolume_over_time_is_that_of_means_that_keep_the_constraints():
    history = repeated()
    study = read_text(studies.TEXT, "x.yaml", ("constraints={forgetting: '<= 0.17'}",))
    assert fronts.progress(history, study.goals)[-1][2] == pytest.approx(0.75 * 0.6)
    assert history.hypervolume(study.goals) == pytest.approx(0.75 * 0.6)


def test_the_curve_ends_at_the_front_of_means():
    history = repeated()
    goals = studies.study_of(history).goals
    points = Curve(goals).points(history)
    volume = [p.value for p in points if p.key == "hypervolume"][-1]
    assert volume == pytest.approx(history.hypervolume(goals))
