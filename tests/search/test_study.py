"""A study is a function of its ledger: it may die at any moment and nothing is lost."""

from __future__ import annotations

import shutil

import pytest

from search import jobs
from search import study as study_module
from search.engines import local
from search.events import Measured, Outcome
from search.folders import load
from search.ledger import NAME, read
from tests.search.running import findings, finish, opened, reopened
from trainables.metrics import measure
from trainables.strategies.mean_teacher import MeanTeacher


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that was never interrupted."""
    directory = tmp_path_factory.mktemp("whole") / "study"
    with opened(directory) as study:
        finish(study)
    return directory


def test_every_candidate_ends_once(whole):
    history, file = load(whole)
    assert history.counts()["candidates"] == file.budget.candidates == len(history.outcomes)
    ends = [e.candidate for e in read(whole) if isinstance(e, Outcome)]
    assert len(ends) == len(set(ends))
    states = {history.outcomes[c].state for c in history.candidates}
    assert states == {"complete", "pruned"}


def test_a_complete_candidate_saw_the_whole_stream_and_a_pruned_one_did_not(whole):
    history, _ = load(whole)
    for c, outcome in history.outcomes.items():
        rows = history.rows(c)
        assert [len(r) for r in rows] == list(range(1, outcome.task + 2))
        assert outcome.task == (3 if outcome.state == "complete" else 1)
        assert outcome.values["plasticity"] == measure(["plasticity"], rows)["plasticity"]


def test_fronts_are_of_complete_candidates_alone(whole):
    history, file = load(whole)
    assert set(history.front(file.objectives)) <= set(history.in_state("complete"))
    assert history.hypervolume(file.objectives) > 0


def test_same_seed_same_study(whole, tmp_path):
    with opened(tmp_path / "again") as study:
        assert findings(finish(study)) == findings(load(whole)[0])


def test_another_seed_is_another_study(whole, tmp_path):
    with opened(tmp_path / "other", "seed=1") as study:
        assert findings(finish(study)) != findings(load(whole)[0])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25, 0.33, 0.5, 0.6, 0.75, 0.9, 0.99])
def test_cut_anywhere_and_resumed_it_ends_as_if_never_cut(whole, tmp_path, share):
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    ledger = (cut / NAME).read_bytes()
    first = ledger.index(b"\n") + 1
    (cut / NAME).write_bytes(ledger[: first + int(share * (len(ledger) - first))])
    with reopened(cut) as study:
        assert findings(finish(study)) == findings(load(whole)[0])


class Killed(BaseException):
    """As sudden as kill -9, to whoever only catches exceptions."""


@pytest.mark.parametrize("calls", [1, 3, 8])
def test_killed_between_tasks_it_goes_on_from_the_checkpoint(whole, tmp_path, monkeypatch, calls):
    monkeypatch.setattr(jobs, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    directory, told = tmp_path / "killed", []

    def dies():
        told.append(1)
        if len(told) == calls:
            raise Killed

    with opened(directory) as study, pytest.raises(Killed):
        local.drive(study, dies)
    before = {(e.candidate, e.task) for e in read(directory) if isinstance(e, Measured)}
    with reopened(directory) as study:
        assert findings(finish(study)) == findings(load(whole)[0])
    records = [(e.candidate, e.task) for e in read(directory) if isinstance(e, Measured)]
    assert before <= set(records)
    assert len(records) == len(set(records))
    assert not list((directory / "checkpoints").glob("*.pt"))


def test_only_the_member_that_raises_fails(whole, tmp_path, monkeypatch):
    def raises(self, *rest):
        raise ZeroDivisionError("no teacher today")

    monkeypatch.setattr(MeanTeacher, "loss", raises)
    monkeypatch.setattr("trainables.programs._TRACED", {})
    with opened(tmp_path / "faulty", "sampler={kind: random}") as study:
        history = finish(study)
    for c, outcome in history.outcomes.items():
        raised = history.candidates[c].config["recipe"]["strategy"]["kind"] == "mean_teacher"
        assert (outcome.state == "failed") == raised
        if raised:
            assert outcome.reason == "raised ZeroDivisionError: no teacher today"


def test_divergence_fails_alone_and_says_so(tmp_path):
    wild = "recipe.optimizer.lr=!choice [0.05, 1.0e30]"
    with opened(tmp_path / "wild", wild, "sampler={kind: random}", "rungs=null") as study:
        history = finish(study)
    failed = [history.outcomes[c] for c in history.in_state("failed")]
    assert failed
    assert all("diverged" in o.reason and not o.values for o in failed)
    assert history.in_state("complete")


def test_a_worker_that_dies_is_forgiven_and_then_its_job_is_split(tmp_path):
    with opened(tmp_path / "deaths") as study:
        job = study.next_job()
        for _ in range(study_module.DEATHS_FORGIVEN):
            study.fault(job.number, died="out of memory")
            while study.next_job().number != job.number:
                pass
        known = set(study.history.jobs)
        study.fault(job.number, died="out of memory")
        parts = [study.history.jobs[j].members for j in set(study.history.jobs) - known]
        assert sorted(parts) == sorted((m,) for m in study.history.jobs[job.number].members)
        for member in parts:
            number = study.history.job_of[member[0][0]]
            for _ in range(study_module.DEATHS_FORGIVEN + 1):
                study.fault(number, died="out of memory")
        assert sorted(study.history.in_state("failed")) == sorted(c for (m,) in parts for c in m)
