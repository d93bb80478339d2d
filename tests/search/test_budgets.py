"""Budgets: what ends a study, what becomes of what runs then, and that a resumed one ends alike."""

from __future__ import annotations

import json
import shutil

import pytest

from search.budgets import Budget, Gain, Spending
from search.cli import main
from search.events import Measured, Outcome
from search.folders import load
from search.goals import Goals
from search.ledger import NAME, read
from search.progress import fruitless, line, table
from spaces.constraints import Constraints
from spaces.objectives import Objectives
from spaces.specs import validate
from tests.search.running import TEXT, findings, finish, opened, ran, reopened

GOALS = Goals(objectives=Objectives.of({"a": "max", "b": "max"}))
ENDLESS = TEXT.replace("budget: {candidates: 24}", "budget: {wall_seconds: 1.0e9}")


def outcome(candidate, a, b, state="complete"):
    values = {} if state == "failed" else {"a": a, "b": b, "c": a}
    return Outcome(candidate=candidate, state=state, values=values, task=1, at=0.0)


def measured(candidate, seconds):
    return Measured(candidate=candidate, task=0, step=1, accuracy=(0.5,), seconds=seconds, at=0.0)


def never():
    raise AssertionError("the clock is read")


def test_a_budget_says_something():
    (fault,) = validate(Budget, {})
    assert (
        "at least one of candidates, device_seconds, wall_seconds and gain is due" in fault.message
    )
    for wrong in ({"candidates": 0}, {"wall_seconds": 0}, {"gain": {"below": 0.1}}, {"gain": 1}):
        assert isinstance(validate(Budget, wrong), list)


def test_candidates_end_it():
    spending = Spending(Budget(candidates=3), GOALS)
    assert spending.enough(2, never) is None
    assert spending.enough(3, never) == spending.why == "candidates"
    assert spending.over(never) is None


def test_seconds_cut_whatever_runs():
    spending = Spending(Budget(device_seconds=2, candidates=9), GOALS)
    spending.take([measured(0, 1.5)])
    assert spending.over(never) is None
    spending.take([measured(1, 0.5)])
    assert spending.over(never) == spending.enough(1, never) == "device_seconds"
    walled = Spending(Budget(wall_seconds=5), GOALS)
    assert walled.over(lambda: 4.9) is None
    assert walled.over(lambda: 5.0) == walled.why == "wall_seconds"


def test_the_first_that_is_reached_is_what_is_told():
    spending = Spending(Budget(candidates=3, wall_seconds=5), GOALS)
    assert spending.enough(3, lambda: 1.0) == "candidates"
    assert spending.over(lambda: 6.0) == spending.why == "candidates"


def test_too_little_gain_ends_it():
    spending = Spending(Budget(gain=Gain(below=0.1, over=2)), GOALS)
    told = [(0.5, 0.5), (0.4, 0.4), (0.52, 0.5), (0.1, 0.1)]  # 0.25, 0.25, 0.26, 0.26
    for at, values in enumerate(told):
        assert spending.enough(at, never) is None
        spending.take([outcome(at, *values)])
    assert spending.enough(4, never) == "gain"  # 0.01 of 0.26 in the last two
    spending.take([outcome(4, 0.9, 0.9)])
    assert spending.enough(5, never) == "gain"  # what was decided stays


def test_nothing_found_is_no_reason_to_end():
    goals = Goals(objectives=GOALS.objectives, constraints=Constraints.of({"c": ">= 0.8"}))
    spending = Spending(Budget(gain=Gain(below=0.5, over=2)), goals)
    spending.take(outcome(c, 0.5, 0.5, "complete" if c % 2 else "failed") for c in range(9))
    assert spending.enough(9, never) is None
    spending.take([outcome(9, 0.9, 0.5), *(outcome(c, 0.1, 0.1, "pruned") for c in (10, 11))])
    assert spending.enough(12, never) == "gain"


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """A study whose time is over while it runs; its clock counts its readings."""
    directory = tmp_path_factory.mktemp("late") / "study"
    text = TEXT.replace("candidates: 24", "wall_seconds: 60")
    return ran(directory, "rungs=null", "fold={members: 2, averages: 2}", text=text)


def test_whatever_runs_is_pruned_at_the_end_of_its_task(late):
    history, _ = load(late)
    assert history.ended.reason == "wall_seconds"
    assert not history.running()
    cut = [o for o in history.outcomes.values() if o.reason is not None]
    assert cut and history.in_state("complete")
    assert {(o.state, o.reason) for o in cut} == {("pruned", "cut: 60 seconds had gone by")}
    for o in cut:
        assert len(history.rows(o.candidate)) == (o.task + 1 if o.values else 0) < 4
        assert o.at >= 60
    assert min(o.at for o in history.outcomes.values() if o.state == "complete") < 60
    assert not list((late / "checkpoints").glob("*.pt"))


def test_it_says_why_it_ended(late, capsys):
    assert main(["status", str(late), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["why"] == "60 seconds had gone by"
    assert status["budget"] == {"wall_seconds": 60}
    assert status["device_seconds"] == pytest.approx(load(late)[0].device_seconds())


def test_nothing_is_begun_once_the_time_is_over(late, tmp_path):
    """A driver that was killed late resumes only to end what it finds."""
    cut = tmp_path / "killed"
    shutil.copytree(late, cut)
    events = (cut / NAME).read_bytes().splitlines(keepends=True)
    last = max(k for k, e in enumerate(read(late)) if isinstance(e, Measured))
    (cut / NAME).write_bytes(b"".join(events[: last + 1]))
    asked = len(load(cut)[0].candidates)
    with reopened(cut) as study:
        study._now = lambda: 1e3
        assert study.next_job() is None
        assert study.done
        assert len(study.history.candidates) == asked
    jobs = {e.reason for e in read(cut) if isinstance(e, Outcome) and e.reason}
    assert jobs == {"cut: 60 seconds had gone by"}


def test_device_seconds_end_a_study(tmp_path):
    text = TEXT.replace("candidates: 24", "device_seconds: 0.02, candidates: 5000")
    with opened(tmp_path / "study", text=text) as study:
        history = finish(study)
        assert history.ended.reason == "device_seconds"
        assert 0.02 <= history.device_seconds() == pytest.approx(study.spending.device_seconds)
        assert len(history.candidates) < 5000


def test_too_little_gain_ends_a_study_and_a_resumed_one_alike(tmp_path):
    text = TEXT.replace("candidates: 24", "gain: {below: 0.2, over: 6}")
    with opened(tmp_path / "whole", text=text) as study:
        history = finish(study)
    assert history.ended.reason == "gain"
    assert 12 <= len(history.candidates) < 200
    assert all(o.reason is None for o in history.outcomes.values())  # what was begun is finished
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    ledger = (tmp_path / "cut" / NAME).read_bytes()
    first = ledger.index(b"\n") + 1
    (tmp_path / "cut" / NAME).write_bytes(ledger[: first + (len(ledger) - first) * 3 // 4])
    with reopened(tmp_path / "cut") as study:
        assert findings(finish(study)) == findings(history)
        assert study.history.ended.reason == "gain"


def test_without_a_number_of_candidates_progress_is_of_time(tmp_path):
    with opened(tmp_path / "study", text=ENDLESS) as study:
        job = study.next_job()
        assert "0 done: 0 complete" in line(study)
        assert table(study)
        study.fault(job.number, "killed", "died")  # and is queued again
        study._now = lambda: 2e9
        assert study.next_job() is None
        study.end()
        assert "; cut: 1e+09 seconds had gone by" in fruitless(study.history, study.file.goals)
