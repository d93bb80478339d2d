"""Anchors are asked for first, are candidates like all others, and come back from the ledger."""

from __future__ import annotations

import pytest

from reports.tracker.rows import candidate_row
from search import studyfile
from search.anchors import ANCHOR, anchors_of
from search.literature import LITERATURE
from search.planning import plan
from spaces.problems import SpecError
from spaces.specs import validate
from tests.search.running import TEXT, finish, opened, reopened
from trainables.averagers import Averager
from trainables.strategies import Strategy

ANCHORED = f"""{TEXT}anchors:
  - {{recipe.optimizer.lr: 0.1, averager.0.momentum: 0.9, averager.0.every: 2}}
  - {{recipe.strategy.1.teacher.momentum: 0.7, averager: 1}}
  - literature
"""


def read(text=ANCHORED, *overrides):
    return studyfile.read_text(text, "anchored.yaml", overrides)


def anchored(history):
    return [a for a in history.candidates.values() if ANCHOR in a.attrs]


def test_named_knobs_bring_the_options_that_they_are_in():
    first, second, *cited = anchors_of(read()).asked
    assert first.knobs == {
        "recipe.optimizer.lr": 0.1,
        "averager": 0,
        "averager.0.momentum": 0.9,
        "averager.0.every": 2,
    }
    strategy = {"recipe.strategy": 1, "recipe.strategy.1.teacher.momentum": 0.7}
    assert second.knobs == {**strategy, "averager": 1}
    # 0.99 is the end of what this space searches; the teacher takes every step, as in the paper.
    assert [(a.name, a.knobs) for a in cited] == [
        (
            "mean_teacher_early",
            {"recipe.strategy": 1, "recipe.strategy.1.teacher.momentum": 0.99},
        )
    ]


def test_each_begins_a_student_and_they_count_as_all_do(tmp_path):
    with opened(tmp_path / "study", text=ANCHORED) as study:
        history = finish(study)
    found = anchored(history)
    expected = anchors_of(study.file).asked
    assert [a.attrs[ANCHOR] for a in found] == [a.name for a in expected]
    for asked, anchor in zip(found, expected, strict=True):
        assert asked.knobs.items() >= anchor.knobs.items()
        mates = [
            c for c, s in history.student_of.items() if s == history.student_of[asked.candidate]
        ]
        assert mates[0] == asked.candidate and len(mates) == 2  # its student's further average
    assert found[0].candidate == 0
    row = candidate_row(history, 0, tasks=4, parent="p")
    assert row.tags["equipoise.anchor"] == "anchors.0"
    assert history.drawn == 24


@pytest.mark.parametrize("sampler, waves", [("tpe", 1), ("qmc", 2), ("nsga2", 1)])
def test_a_resumed_study_goes_on_with_those_that_are_left(tmp_path, sampler, waves):
    few = ["fold={members: 2, averages: 2}", f"sampler={{kind: {sampler}}}"]
    with opened(tmp_path / "whole", *few, text=ANCHORED) as study:
        for _ in range(4):
            study._draw()
        whole = dict(study.history.candidates)
    with opened(tmp_path / "cut", *few, text=ANCHORED) as study:
        for _ in range(waves):
            study._draw()
    with reopened(tmp_path / "cut") as study:
        for _ in range(4 - waves):
            study._draw()
        assert study.history.candidates == whole
        assert len(anchored(study.history)) == 3


@pytest.mark.parametrize(
    "anchors, why",
    [
        ("[{recipe.optimizer.lrr: 0.1}]", "no such knob .did you mean 'recipe.optimizer.lr'"),
        ("[{recipe.optimizer.lr: 0.6}]", "recipe.optimizer.lr: 0.6 is outside of !log"),
        ("[{recipe.strategy: 2}]", "recipe.strategy: 2 is outside of an option's number up to 1"),
        ("[{averager.0.every: 1.5}]", "1.5 is outside of !int"),
        ("[{averager.0.every: 2, averager: 1}]", "in play with averager: 0 only, got 1"),
        ("[{recipe.optimizer.lr: !log [0.1, 0.2]}]", "a hole may stand under"),
        ("[byoll]", "no anchor has this name .did you mean 'byol'"),
        ("[byol]", "averager.0.momentum: kind cosine is not searched there"),
        ("[moco]", "0.999 is outside of !near_one .0.5, 0.99."),
        ("[3]", ".0: a mapping is due"),
    ],
)
def test_what_is_not_of_the_space_is_refused_with_its_place(anchors, why):
    with pytest.raises(SpecError, match=rf"anchored.yaml:\d+: anchors.*{why}"):
        read(f"{TEXT}anchors: {anchors}\n")


def test_plan_tells_which_fit_and_why_others_do_not():
    told = str(plan(read()))
    assert "asked for first: anchors.0, anchors.1, mean_teacher_early; left out: " in told
    assert "lawa (averager" in told and "too small" not in told
    few = str(plan(read(ANCHORED, "budget.candidates=3")))
    assert "for the last 1 the budget is too small" in few


def test_the_default_study_can_draw_much_of_the_literature():
    found = anchors_of(studyfile.read("digits-frontier", ["anchors=[literature]"]))
    assert {"mean_teacher", "moco", "ctp"} <= {a.name for a in found.asked}
    assert "averager.1.momentum.end: 1.0 is outside" in found.left_out["byol"]


@pytest.mark.parametrize("cited", LITERATURE, ids=lambda cited: cited.name)
def test_what_is_cited_is_a_legal_setting(cited):
    averager = cited.says.get("averager")
    if averager is not None:
        assert isinstance(validate(Averager, averager), Averager)
    else:
        assert isinstance(validate(Strategy, cited.says["recipe"]["strategy"]), Strategy)
