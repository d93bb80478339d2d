"""Launching and resuming from Python."""

from __future__ import annotations

import gc
import json
import re
import shutil

import pytest

from reports.fronts import load as front_of
from search import launch as launching
from search.engines import local
from search.folders import load
from search.launch import git_state, launch, resume, unswept, versions
from search.ledger import NAME, Ledger
from spaces.problems import SpecError
from tests.search.running import TEXT, finish, opened


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, empty_store):
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    (tmp_path / "tiny.yaml").write_text(TEXT)
    return tmp_path


def test_a_few_lines_of_python(home):
    seen = []

    def watch(study):
        seen.append((study.history.counts()["candidates"], study.history.ended is not None))

    directory = launch("tiny.yaml", engine="local", overrides=["budget.candidates=6"], watch=watch)
    assert re.fullmatch(r"tiny-\d{8}-\d{6}", directory.name)
    assert directory.parent == home / "runs"
    assert front_of(directory).rows
    assert seen[0] == (0, False)
    assert seen[-1] == (6, True)
    first = json.loads((directory / NAME).read_text().partition("\n")[0])
    assert first["overrides"] == ["budget.candidates=6"]
    assert first["versions"]["torch"] == versions()["torch"]
    assert (directory / "reports" / "front.html").is_file()


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_interrupted_it_can_be_resumed(home):
    def interrupt(study):
        if study.history.outcomes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch("tiny.yaml", directory=home / "cut", engine="local", watch=interrupt)
    before = load(home / "cut")[0]
    assert before.outcomes
    assert before.ended is None
    resume(home / "cut", engine="local")
    after = load(home / "cut")[0]
    assert after.counts()["running"] == 0
    assert after.ended is not None
    assert after.seconds > before.seconds
    assert all(after.outcomes[c] == o for c, o in before.outcomes.items())


def refuses(*, match, **how):
    with pytest.raises(SpecError, match=match):
        launch("tiny.yaml", **how)


def test_a_study_is_not_begun_where_one_stands(home):
    with opened(home / "study") as study:
        finish(study)
    before = (home / "study" / NAME).read_bytes()
    refuses(directory=home / "study", engine="local", match="holds a study already")
    assert (home / "study" / NAME).read_bytes() == before


def test_a_folder_that_died_before_its_first_line_can_be_used(home, monkeypatch):
    (home / "study").mkdir()
    (home / "study" / NAME).touch()
    monkeypatch.setattr(local, "drive", stop)
    refuses(directory=home / "study", engine="local", match="stop here")
    assert load(home / "study")[0].opened.name == "tiny"


def stop(study, watch):
    raise SpecError(["stop here"])


def test_an_engine_that_cannot_be_had_leaves_an_interrupted_study_as_it_was(home):
    with opened(home / "study") as study:
        study.next_job()
    before = (home / "study" / NAME).read_bytes()
    with pytest.raises(SpecError, match="no Ray cluster answers there"):
        resume(home / "study", address="127.0.0.1:1")
    assert (home / "study" / NAME).read_bytes() == before


def test_a_study_that_another_process_runs_is_not_resumed(home):
    with opened(home / "study"), pytest.raises(SpecError, match="another process is running"):
        resume(home / "study", engine="local")
    with Ledger.open(home / "study"):
        pass


def test_git_state_outside_of_any_repository(home, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(home.parent))
    assert git_state() is None


def test_git_may_be_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state() is None


def test_versions_name_what_results_depend_on():
    assert {"python", *launching.LIBRARIES} == set(versions())


@pytest.mark.ray
def test_a_ray_that_cannot_hold_a_job_leaves_nothing_behind(home):
    refuses(
        directory=home / "study",
        overrides=["resources.cpu=4000"],
        match="resources: a job wants 4000 CPU",
    )
    assert not (home / "study").exists()


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_what_a_full_collection_leaves_is_not_swept_again_and_nothing_else_is_kept(generation):
    """What is in use at a smaller collection may be garbage by the next."""
    before = list(gc.callbacks), gc.get_threshold()
    with unswept():
        kept: list[list[int]] = [[] for _ in range(1000)]
        frozen = gc.get_freeze_count()
        gc.collect(generation)
        assert (gc.get_freeze_count() >= frozen + len(kept)) is (generation == 2)
    assert (gc.callbacks, gc.get_threshold()) == before and gc.get_freeze_count() == 0
