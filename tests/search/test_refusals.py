"""Knobs that are legal one by one and not together: such a draw fails, and the study goes on."""

from __future__ import annotations

import shutil

import pytest

from search import study as study_module
from search import studyfile
from search.engines import local
from search.events import Asked, Outcome, Queued
from search.folders import load
from search.ledger import NAME, read
from search.planning import plan
from search.progress import fruitless
from spaces.problems import SpecError
from tests.search.running import TEXT, findings, finish, opened, reopened

PRODUCT = "{kind: scaled, scale: !uniform [0.5, 1.0], shape: !choice [0.9, 1.8]}"
"""0.5 x 1.8 is a momentum and so is 1.0 x 0.9; more than 0.56 of 1.8 is none."""

TEACHER = f"recipe.strategy={{kind: mean_teacher, teacher: {{kind: ema, momentum: {PRODUCT}}}}}"
AVERAGE = f"averagers=[{{kind: ema, momentum: {PRODUCT}}}, {{kind: student}}]"
SMALL = ("budget.candidates=16", "rungs=null")


def is_legal(asked, under):
    knobs = {n.rpartition(".")[2]: v for n, v in asked.knobs.items() if n.startswith(under)}
    return "shape" not in knobs or knobs["scale"] * (0.9, 1.8)[knobs["shape"]] <= 1


@pytest.fixture(scope="module", params=[(TEACHER, "recipe."), (AVERAGE, "averager.")])
def whole(request, tmp_path_factory):
    """A study in which some draws are refused, and where in the space they are wrong."""
    change, under = request.param
    directory = tmp_path_factory.mktemp("whole") / "study"
    with opened(directory, change, *SMALL) as study:
        finish(study)
    return directory, under


def test_it_passes_the_check_and_only_what_is_illegal_fails(whole):
    directory, under = whole
    history, file = load(directory)
    assert len(history.outcomes) == len(history.candidates) == file.budget.candidates
    legal = {c: is_legal(asked, under) for c, asked in history.candidates.items()}
    assert {True, False} == set(legal.values())
    for c, outcome in history.outcomes.items():
        assert (outcome.state == "complete") == legal[c]
        if not legal[c]:
            assert outcome.state == "failed"
            assert outcome.reason.startswith("refused: ")
            assert "must be between 0 and 1 at every step" in outcome.reason
            assert under in outcome.reason
            assert not history.records[c]
            assert c not in history.job_of


def test_a_student_that_is_refused_is_asked_for_no_averages_and_replaced(whole):
    directory, under = whole
    history, file = load(directory)
    if under == "recipe.":
        ill = [c for c in history.candidates if not is_legal(history.candidates[c], under)]
        lrs = [a.knobs["recipe.optimizer.lr"] for a in history.candidates.values()]
        assert all(lrs.count(history.candidates[c].knobs["recipe.optimizer.lr"]) == 1 for c in ill)
        first = next(e for e in read(directory) if isinstance(e, Queued))
        assert len(first.members) == file.fold.members


def test_asked_refused_and_queued_are_one_append(whole):
    directory, _ = whole
    waves = [[]]
    for line, event in zip(
        (directory / NAME).read_text().splitlines(), read(directory), strict=True
    ):
        waves[-1].append(event)
        if not line.endswith('"more":true}'):
            waves.append([])
    for wave in waves:
        asked = {e.candidate for e in wave if isinstance(e, Asked)}
        seated = {c for e in wave if isinstance(e, Queued) for c in e.candidates}
        refused = {e.candidate for e in wave if isinstance(e, Outcome) and e.reason}
        assert asked == (seated | refused if asked else set())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_cut_anywhere_and_resumed_it_ends_as_if_never_cut(whole, tmp_path, share):
    directory, _ = whole
    cut = tmp_path / "cut"
    shutil.copytree(directory, cut)
    ledger = (cut / NAME).read_bytes()
    first = ledger.index(b"\n") + 1
    (cut / NAME).write_bytes(ledger[: first + int(share * (len(ledger) - first))])
    with reopened(cut) as study:
        assert findings(finish(study)) == findings(load(directory)[0])


def test_the_sampler_is_told_that_it_failed(whole):
    directory, _ = whole
    with reopened(directory) as study:
        assert study._suggestions.counts()["failed"] == len(study.history.in_state("failed"))


def test_a_model_that_does_not_fit_the_samples_is_refused():
    file = studyfile.read_text(TEXT, "tiny.yaml", ())
    _, filled = file.space.draw(lambda _, domain: domain.at(0.5))
    assert file.refusals(filled) == {}
    unfit = filled | {"recipe": filled["recipe"] | {"model": {"kind": "cnn"}}}
    (told,) = file.refusals(unfit).values()
    assert told.startswith("recipe.model: does not fit the scenario: a cnn of 2 blocks takes")


HOPELESS = f"averagers=[{{kind: ema, momentum: {PRODUCT}}}]"


@pytest.fixture
def hopeless(tmp_path, monkeypatch):
    """A study whose sampler has an eye for what does not go together."""
    monkeypatch.setattr(study_module, "REFUSED_AT_FIRST", 10)
    monkeypatch.setattr(
        studyfile.StudyFile, "refusals", lambda *_: {"recipe": "recipe: never together"}
    )
    with opened(tmp_path / "hopeless", HOPELESS, "budget.candidates=1000000") as study:
        yield study


def test_a_row_of_refusals_ends_the_study(hopeless):
    local.drive(hopeless, lambda: None)
    assert hopeless.done
    hopeless.end()
    assert 10 <= len(hopeless.history.outcomes) < 20
    assert hopeless.history.ended.reason == "refused"
    told = fruitless(hopeless.history, hopeless.file.goals)
    assert "drawn are refused, so no more are drawn" in told
    assert "x refused: recipe: never together" in told


def test_a_plan_tells_how_many_are_refused(monkeypatch):
    file = studyfile.read_text(TEXT, "tiny.yaml", (AVERAGE, "budget.candidates=64"))
    drawn = plan(file)
    assert 0 < drawn.refused < 32
    assert f"64 over 6 knobs, {drawn.refused} of them combinations that are refused" in str(drawn)
    monkeypatch.setattr(studyfile.StudyFile, "refusals", lambda *_: {"recipe": "recipe: never"})
    with pytest.raises(SpecError, match="64 candidates were drawn and all are refused"):
        plan(file)
