"""A study is a function of its ledger: it may die at any moment and nothing is lost."""

from __future__ import annotations

import gc
import shutil
import weakref

import pytest
import torch

from search import jobs, studyfile
from search import study as study_module
from search.engines import local
from search.events import Measured, Outcome
from search.folders import load
from search.ledger import NAME, read
from search.room import Room, Scales
from tests.search.running import TEXT, findings, finish, opened, ran, reopened
from trainables.cohort import Cohort
from trainables.metrics import defined
from trainables.stepper import Stepper
from trainables.strategies.mean_teacher import MeanTeacher


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that was never interrupted."""
    return ran(tmp_path_factory.mktemp("whole") / "study")


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
        assert outcome.values["plasticity"] == defined({"accuracy": rows})["plasticity"]


def test_fronts_are_of_complete_candidates_alone(whole):
    history, file = load(whole)
    assert set(history.front(file.goals)) <= set(history.in_state("complete"))
    assert history.hypervolume(file.goals) > 0


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
    never_traced = "recipe.model.hidden=[9]"
    with opened(tmp_path / "faulty", "sampler={kind: random}", never_traced) as study:
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
    with opened(tmp_path / "deaths", "recipe.strategy={kind: finetune}") as study:
        job = study.next_job()
        for _ in range(study_module.DEATHS_FORGIVEN):
            study.fault(job.number, "killed", "died")
            while study.next_job().number != job.number:
                pass
        known = set(study.history.jobs)
        study.fault(job.number, "killed", "died")
        parts = [study.history.jobs[j].members for j in set(study.history.jobs) - known]
        assert sorted(parts) == sorted((m,) for m in study.history.jobs[job.number].members)
        for member in parts:
            number = study.history.job_of[member[0][0]]
            for _ in range(study_module.DEATHS_FORGIVEN + 1):
                study.fault(number, "killed", "died")
        assert sorted(study.history.in_state("failed")) == sorted(c for (m,) in parts for c in m)


def short_of_memory(monkeypatch, *, members):
    """A device on which only so many students can be trained at once."""
    steps_ = Stepper.steps_

    def raises(self, *given):
        if len(self.slots) > members:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        steps_(self, *given)

    monkeypatch.setattr(Stepper, "steps_", raises)


LARGE = ("rungs=null", "fold={members: 8, averages: 2}", "recipe.strategy={kind: finetune}")


def test_out_of_memory_jobs_are_halved_and_nothing_is_lost(tmp_path, monkeypatch):
    with opened(tmp_path / "roomy", *LARGE) as study:
        roomy = finish(study)
    short_of_memory(monkeypatch, members=2)
    with opened(tmp_path / "tight", *LARGE) as study:
        tight = finish(study)
    assert findings(tight) == findings(roomy)
    assert [f.kind for f in tight.faults] == ["memory"] * 3
    sizes = [len(job.members) for job in tight.jobs.values()]
    assert sizes == [8, 4, 4, 2, 2, 2, 2, 2, 2]  # 16 candidates, halved; then 8 in jobs that fit


def test_what_ran_out_of_memory_is_gone_when_the_device_is_asked_to_take_it_back(
    tmp_path, monkeypatch
):
    made, left, init = [], [], Cohort.__init__

    def remembered(self, *args, **named):
        made.append(weakref.ref(self))
        init(self, *args, **named)

    monkeypatch.setattr(Cohort, "__init__", remembered)
    monkeypatch.setattr(
        torch.cuda, "empty_cache", lambda: left.append(sum(ref() is not None for ref in made))
    )
    short_of_memory(monkeypatch, members=2)
    gc.collect()
    gc.disable()
    with opened(tmp_path / "tight", *LARGE) as study:
        finish(study)
    gc.enable()
    assert len(made) == 9 and left == [0] * 9


def test_a_resumed_study_knows_what_ran_out_of_memory(tmp_path, monkeypatch):
    short_of_memory(monkeypatch, members=2)
    told = []

    def dies():
        told.append(1)
        if len(told) == 14:  # early in the last of the first wave's jobs
            raise Killed

    with opened(tmp_path / "tight", *LARGE) as study, pytest.raises(Killed):
        local.drive(study, dies)
    assert len(load(tmp_path / "tight")[0].candidates) == 16
    with reopened(tmp_path / "tight") as study:
        history = finish(study)
    assert len(history.faults) == 3
    assert [len(j.members) for j in history.jobs.values()][-2:] == [2, 2]


def test_a_lone_student_without_memory_halves_its_averages_and_then_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(Cohort, "__init__", crowded(Cohort.__init__, averages=1))
    with opened(tmp_path / "few", "fold={members: 1, averages: 4}", "rungs=null") as study:
        history = finish(study)
    assert len(history.in_state("complete")) == 24
    assert {len(j.candidates) for j in history.jobs.values()} == {4, 2, 1}
    monkeypatch.setattr(Cohort, "__init__", crowded(Cohort.__init__, averages=0))
    with opened(tmp_path / "none", "budget.candidates=2") as study:
        history = finish(study)
    reasons = {o.reason for o in history.outcomes.values()}
    assert reasons == {"raised OutOfMemoryError: CUDA out of memory"}


def crowded(init, *, averages):
    def raises(self, members, *rest, **named):
        if sum(len(m.averagers) for m in members) > averages:
            raise torch.OutOfMemoryError("CUDA out of memory")
        init(self, members, *rest, **named)

    return raises


def test_jobs_keep_to_the_room_that_there_is(tmp_path):
    wide = ("recipe.model.hidden=[64]", "fold={members: 8, averages: 2}")
    text, small = studyfile.read_text(TEXT, "tiny.yaml", wide), Room(2**18, "a test")
    with opened(tmp_path / "study", *wide, room=small) as study:
        history = finish(study)
    scales = Scales(text.scenario)
    for job in history.jobs.values():
        recipe, _ = text.candidate(history.candidates[job.candidates[0]].config)
        assert scales.weigh(recipe, len(job.members), max(map(len, job.members))) <= small.size
    assert 1 < max(len(job.members) for job in history.jobs.values()) < 8


def test_folding_can_be_left_off(tmp_path):
    with opened(tmp_path / "alone", "fold={members: 1, averages: 1}", "rungs=null") as study:
        history = finish(study)
    assert [j.members for j in history.jobs.values()] == [((c,),) for c in range(24)]
    assert len(history.in_state("complete")) == 24


def test_what_needs_twins_may_be_traded_off_and_does_not_depend_on_company(tmp_path):
    asked = ("objectives={plasticity: max, churn_across_seeds: min}", "budget.candidates=6")
    blind = (*asked, "sampler={kind: random}", "rungs=null")
    found = []
    for n, more in enumerate([(), ("fold={members: 1, averages: 2}",)]):
        with opened(tmp_path / str(n), *blind, *more) as study:
            history = finish(study)
        assert set(history.in_state("complete")) == set(history.candidates)
        found.append([history.outcomes[c].values["churn_across_seeds"] for c in range(6)])
    assert found[0] == found[1]
    assert 0 < max(found[0]) < 1
