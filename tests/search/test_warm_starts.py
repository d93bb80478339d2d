"""A study may begin with what another measured; afterwards it needs nothing but its own folder."""

from __future__ import annotations

import shutil

import pytest

from search import studyfile
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
from tests.search.running import TEXT, finish, now, opened

WARM = f"{TEXT}warm_start: {{ledger: first}}\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A finished study, with pruned and complete candidates."""
    folder = tmp_path_factory.mktemp("studies") / "first"
    with opened(folder) as study:
        finish(study)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, first):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(first, tmp_path / "first")
    (tmp_path / "warm.yaml").write_text(WARM)
    return tmp_path


def warmth(text=WARM, *overrides):
    return warmth_of(studyfile.read_text(text, "warm.yaml", overrides))


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
        plan(studyfile.read("warm.yaml"))
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


def test_begins_with_it_counts_none_of_it_and_resumes_without_the_other_folder(home):
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
