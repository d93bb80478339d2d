"""A study may begin with what another measured; afterwards it needs nothing but its own folder."""

from __future__ import annotations

import shutil

import pytest

from reports import tracker
from reports.tracker.mirror import Mirror
from search import studyfile
from search.events import Asked, Outcome
from search.folders import load
from search.launch import launch
from search.ledger import Ledger
from search.planning import plan
from search.samplers import Sampler
from search.samplers.suggestions import Suggestions
from search.study import Study
from search.warm_starts import warmth_of
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.problems import SpecError
from spaces.space import Space
from tests.search.running import TEXT, finish, now, opened, ran

WARM = f"{TEXT}warm_start: {{ledger: first}}\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A finished study, with pruned and complete candidates."""
    return ran(tmp_path_factory.mktemp("studies") / "first")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, first):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(first, tmp_path / "first")
    (tmp_path / "warm.yaml").write_text(WARM)
    return tmp_path


def warmth(text=WARM, *overrides):
    return warmth_of(studyfile.read_text(text, "warm.yaml", overrides), tracker.recall)


def test_complete_candidates_of_the_same_space_are_known_and_no_others(home):
    history, _ = load(home / "first")
    found = warmth()
    complete = sorted(history.in_state("complete"))
    assert 0 < len(complete) < len(history.candidates)
    assert [k["knobs"] for k in found.known] == [
        history.candidates[c].knobs for c in history.in_state("complete")
    ]
    assert all(set(k["values"]) == {"plasticity", "stability"} for k in found.known)
    assert found.left_out == {}
    assert f"{len(complete)} candidates of another study are told" in str(
        plan(studyfile.read("warm.yaml"), warmth())
    )


def test_what_does_not_fit_is_left_out_and_why_is_said():
    narrow = warmth(WARM.replace("lr: !log [1.0e-2, 0.5]", "lr: !log [1.0e-1, 0.5]"))
    all_told = warmth()
    (why,) = narrow.left_out
    assert why == "outside of the space"
    assert len(narrow.known) + narrow.left_out[why] == len(all_told.known)
    assert 0 < len(narrow.known) < len(all_told.known)
    assert "left out: " in str(narrow) and why in str(narrow)
    with pytest.raises(SpecError, match=r"no complete candidate of first fits .* with other fixed"):
        warmth(WARM, "recipe.batch=16")
    with pytest.raises(SpecError, match="without a metric that is due"):
        warmth(WARM, "constraints.parameters=<= 1e9")
    with pytest.raises(SpecError, match="no such folder"):
        warmth(WARM, "warm_start.ledger=nowhere")


def test_begins_with_it_counts_none_of_it_and_resumes_without_the_other_folder(
    home, empty_store, monkeypatch
):
    shutil.copy(empty_store, home / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home}/mlflow.db")
    directory = launch("warm.yaml", engine="local", overrides=["budget.candidates=8"])
    history, file = load(directory)
    assert len(history.opened.known) == len(warmth().known)
    assert history.drawn == 8
    assert set(history.front(file.goals)) <= set(range(8))
    shutil.rmtree(home / "first")
    with Ledger.open(directory) as ledger:
        risen = Study(file, ledger, history, now())
        assert risen._suggestions.counts()["complete"] == len(history.in_state("complete"))
    cold = Suggestions(file.sampler, file.space, file.objectives, file.seed)
    assert history.candidates[0].knobs != cold.ask(0).knobs  # it does not begin at random


@pytest.mark.parametrize("kind", ["tpe", "gp"])
def test_samplers_that_learn_begin_where_it_was_good(kind):
    space = Space({"s": Choice(("a", {"x": Range(0.0, 1.0)})), "y": Range(0.0, 1.0)})
    objectives = Objectives.of({"a": "min", "b": "min"})
    suggestions = Suggestions(Sampler.kinds[kind](startup=5), space, objectives, 0)
    for k in range(30):
        y = (k + 0.5) / 30
        suggestions.know({"s": 1, "s.1.x": 0.5, "y": y}, [abs(y - 0.2), abs(y - 0.25)])
    assert sum(suggestions.counts().values()) == 0
    drawn = [suggestions.ask(candidate).knobs["y"] for candidate in range(6)]
    assert sum(0.05 < y < 0.4 for y in drawn) >= 4


@pytest.fixture(scope="module")
def store(tmp_path_factory, first, empty_store):
    """MLflow with what the first study measured, and no folder of it."""
    path = shutil.copy(empty_store, tmp_path_factory.mktemp("told"))
    uri, (history, file) = f"sqlite:///{path}", load(first)
    Mirror.connect(uri, first, file, history).write(history)
    return uri


def from_store(uri, experiment="tiny"):
    return f"{TEXT}warm_start: {{mlflow: {{uri: '{uri}', experiment: {experiment}}}}}\n"


def by_knobs(found):
    return sorted(found.known, key=lambda k: str(sorted(k["knobs"].items())))


def test_of_what_was_repeated_both_tell_the_means(store, tmp_path):
    """But nothing of a candidate that failed with a further seed."""
    few = ["name=often", "rungs=null", "budget.candidates=8", "repeats={seeds: 3}"]
    with opened(tmp_path / "often", *few) as study:
        history = finish(study)
        spoilt = Asked(candidate=len(history.candidates), knobs={}, config={}, repeats=0)
        failed = Outcome(candidate=spoilt.candidate, state="failed", values={}, task=0, at=99.0)
        for event in (spoilt, failed):
            study._append(event)
    Mirror.connect(store, tmp_path, study.file, history).write(history)
    found = warmth(from_store(store, "often"))
    assert by_knobs(found) == by_knobs(warmth(WARM.replace("ledger: first", "ledger: often")))
    assert len(found.known) == 7
    firsts = [history.outcomes[c].values["plasticity"] for c in history.repeats]
    assert not {k["values"]["plasticity"] for k in found.known}.issuperset(firsts)


def test_mlflow_knows_what_the_ledger_does(store):
    told = warmth(from_store(store))
    assert by_knobs(told) == by_knobs(warmth())
    assert told.left_out == {}
    narrow = from_store(store).replace("lr: !log [1.0e-2, 0.5]", "lr: !log [1.0e-1, 0.5]")
    same = WARM.replace("lr: !log [1.0e-2, 0.5]", "lr: !log [1.0e-1, 0.5]")
    assert by_knobs(warmth(narrow)) == by_knobs(warmth(same))
    assert warmth(narrow).left_out == warmth(same).left_out
    with pytest.raises(SpecError, match=r"no complete candidate of .*'tiny' .* with other fixed"):
        warmth(from_store(store), "recipe.batch=16")
    with pytest.raises(SpecError, match="without a metric that is due"):
        warmth(from_store(store), "constraints.parameters=<= 1e9")


def test_what_is_no_store_or_no_experiment_is_said(store, home):
    with pytest.raises(SpecError, match="has none called 'other'"):
        warmth(from_store(store, "other"))
    with pytest.raises(SpecError, match=r"there is no database .*missing.db"):
        warmth(from_store(f"sqlite:///{home}/missing.db"))
    assert not (home / "missing.db").exists()
    for said in ("{}", "{ledger: first, mlflow: {uri: 'sqlite:////a.db', experiment: tiny}}"):
        with pytest.raises(SpecError, match="one of ledger and mlflow is due"):
            studyfile.read_text(f"{TEXT}warm_start: {said}\n", "warm.yaml")


def test_a_choice_between_plain_options_is_read_as_the_option_it_was(store, tmp_path):
    """MLflow has the option, not its number: the configuration says what was trained."""
    text = TEXT.replace("lr: !log [1.0e-2, 0.5]", "lr: !choice [1, 0.1, 0]")
    few = ["name=plain", "rungs=null", "budget.candidates=8"]
    with opened(tmp_path / "plain", *few, text=text) as study:
        history = finish(study)
    Mirror.connect(store, tmp_path, study.file, history).write(history)
    told = f"{text}warm_start: {{mlflow: {{uri: '{store}', experiment: plain}}}}\n"
    found = warmth(told)
    assert len({a.knobs["recipe.optimizer.lr"] for a in history.candidates.values()}) > 1
    drawn = {str(sorted(a.knobs.items())) for a in history.candidates.values()}
    assert {str(sorted(k["knobs"].items())) for k in found.known} == drawn
