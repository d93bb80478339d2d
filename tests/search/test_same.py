"""A teacher that is searched and deployed as itself: ``!same`` in study files."""

from __future__ import annotations

import json

import pytest
import torch

from search import studyfile
from search.albums import folder
from search.planning import plan
from search.posthoc import posthoc
from search.room import check_room, room
from search.samplers.qmc import Qmc
from spaces.specs import SpecError
from tests.search.running import TEXT, findings, finish, opened, ran, reopened
from trainables.cohort import Cohort, Member
from trainables.pulls.at_tasks import AtTasks
from trainables.snapshots import read as read_snapshots

TEACHER = "recipe.strategy.teacher"
DEPLOYED = f"averagers.1=!same {TEACHER}"
TAUGHT = (
    "recipe.strategy={kind: mean_teacher, teacher: {kind: ema, momentum: !near_one [0.5, 0.99]}}"
)
SMALL = ("budget.candidates=16", "rungs=null")
WIDE = "fold={members: 20, averages: 4}"
SNAPSHOTS = "snapshots={every: 3, gammas: [0, 1]}"


def read(*overrides):
    return studyfile.read_text(TEXT, "tiny.yaml", overrides)


def problems_of(*overrides):
    with pytest.raises(SpecError) as error:
        read(*overrides)
    return error.value.problems


def drawn(file, **chosen):
    return file.space.draw(lambda path, d: chosen.get(str(path[-1]), d.at(0.25)))[1]


def test_the_deployed_average_is_the_teacher_and_so_is_what_is_pulled_toward():
    pull = f"recipe.pulls=[{{kind: at_tasks, at: start, toward: !same {TEACHER}}}]"
    file = read(DEPLOYED, TAUGHT, pull)
    recipe, averager = file.candidate(drawn(file, averager=1, momentum=0.8))
    (pulled,) = recipe.pulls
    assert isinstance(pulled, AtTasks)
    assert averager == pulled.toward == recipe.strategy.teacher
    assert averager.momentum.value == 0.8
    assert list(file.space.knobs()) == [
        "recipe.optimizer.lr", "recipe.strategy.teacher.momentum", "averager",
        "averager.0.momentum", "averager.0.every",
    ]  # fmt: skip


def test_a_combination_without_a_teacher_is_refused():
    file = read(DEPLOYED)
    told = file.refusals(drawn(file, strategy=0, averager=1))
    why = f"averager: !same {TEACHER}: in this combination there is nothing at that path"
    assert told == {"averager": why}
    assert not file.refusals(drawn(file, strategy=1, averager=1))
    assert not file.refusals(drawn(file, strategy=0, averager=0))


@pytest.mark.parametrize(
    "override, problem",
    [
        ("averagers.1=!same recipe.strategy.techer", ("averagers.1: !same recipe.strategy.techer: "
         "recipe.strategy says no 'techer' (did you mean 'teacher'?); what it leaves to a default "
         "must be written out")),
        ("averagers.1=!same averagers.0",
         "averagers.1: !same averagers.0: a path begins with recipe, from the root of the file"),
        ("averagers.1=!same recipe.strategy.teacher.momentum", ("averagers.1: a mapping with a kind is "
         "due, got 0.5 (the value of !same recipe.strategy.teacher.momentum)")),
        ("recipe.strategy.1.agreement=!same recipe.strategy.agreement", ("recipe.strategy.1.agreement: "
         "!same recipe.strategy.agreement: leads back to itself")),
        ("recipe.strategy.1.teacher.momentum=!same recipe.batch", (
            "recipe.strategy.1.mean_teacher.teacher.ema.momentum: must be between 0 and 1 at every "
            "step, got 64.0 at step 0 of 64 (the value of !same recipe.batch)")),
        ("scenario.tasks=!same recipe.batch",
         "scenario.tasks: !same may stand under recipe and averagers only, got !same recipe.batch"),
        ("averagers=!same recipe.batch",
         "averagers: !same may stand under recipe and averagers only, got !same recipe.batch"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(override, problem):
    assert f"--set {override}: {problem}" in problems_of("recipe.batch=64", override)


def test_a_line_of_the_file_is_named():
    text = TEXT.replace("  - {kind: student}\n", "  - !same recipe.strategi\n")
    with pytest.raises(SpecError, match=r"^tiny\.yaml:12: averagers\.1: !same recipe\.strategi: "):
        studyfile.read_text(text, "tiny.yaml")


def test_an_end_that_is_legal_at_its_place_and_not_where_it_is_led_to():
    wide = "recipe.optimizer.lr=!log [0.1, 10]"
    same = "recipe.strategy.1.teacher.momentum=!same recipe.optimizer.lr"
    (problem,) = problems_of(wide, same)
    assert problem.startswith(
        f"--set {same}: recipe.strategy.1.mean_teacher.teacher.ema.momentum: "
    )
    assert problem.endswith("got 10.0 at step 0 of 64 (the value of !same recipe.optimizer.lr)")


def test_what_may_not_be_deployed_may_not_be_led_to():
    live = "recipe.strategy.1.teacher={kind: by_drift, low: 0.5}"
    found = problems_of(live, DEPLOYED)
    assert any(line.startswith(f"--set {DEPLOYED}: averagers.1: ") for line in found), found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study of students with and without a teacher, some deployed as it."""
    return ran(tmp_path_factory.mktemp("same") / "study", DEPLOYED, *SMALL, SNAPSHOTS)


def test_a_study_runs_through_and_only_what_has_no_teacher_is_refused(whole):
    with reopened(whole) as study:
        history, file = study.history, study.file
        for c, asked in history.candidates.items():
            taught = asked.knobs["recipe.strategy"] == 1
            refused = asked.knobs["averager"] == 1 and not taught
            assert (history.outcomes[c].state == "complete") == (not refused)
            if refused:
                assert "there is nothing at that path" in history.outcomes[c].reason
            elif asked.knobs["averager"] == 1:
                assert asked.config["averager"] == asked.config["recipe"]["strategy"]["teacher"]
        states = {history.outcomes[c].state for c in history.candidates}
        deployed = [a for a in history.candidates.values() if a.knobs["averager"] == 1]
        assert states == {"complete", "failed"} and len(deployed) > 1
        assert '"!same' not in json.dumps([history.candidates[c].config for c in history.job_of])
        assert file.space.knobs().keys() >= {"averager"}


def test_resumed_it_says_the_same(whole, tmp_path):
    with opened(tmp_path / "again", DEPLOYED, *SMALL, SNAPSHOTS) as study:
        assert study.next_job() is not None
    with reopened(tmp_path / "again") as study, reopened(whole) as known:
        assert findings(finish(study)) == findings(known.history)


def test_students_without_a_teacher_are_spread_over_the_other_averagers(tmp_path):
    """Of a student's averages some are proposed, which may be refused; of the others none is."""
    with opened(tmp_path / "wide", DEPLOYED, WIDE, "budget.candidates=80") as study:
        assert study.next_job() is not None
        drawn = [a for a in study.history.candidates.values() if a.attrs.get("sort") == "given"]
        assert {a.knobs["recipe.strategy"] for a in drawn} == {0, 1}
        assert not any(study.file.refusals(a.config) for a in drawn)


def test_what_the_engine_deploys_is_the_teacher_that_steered(tmp_path):
    alone = f"averagers=[!same {TEACHER}]"
    with opened(tmp_path / "study", alone, TAUGHT, SNAPSHOTS, *SMALL) as study:
        history = finish(study)
        assert {o.state for o in history.outcomes.values()} == {"complete"}
        for number, queued in history.jobs.items():
            cohort = trained([study.file.candidate(history.candidates[c].config)
                              for c in queued.candidates], study.file)  # fmt: skip
            teachers = cohort.state_dict()["stepper"]["companions"]["averages"]["strategy.teacher"]
            for member, teacher in enumerate(teachers):
                kept = read_snapshots(folder(tmp_path / "study", number), member, 3)
                torch.testing.assert_close(kept.average, teacher, atol=1e-6, rtol=1e-5)
                assert not torch.allclose(teacher, cohort.students[member], atol=1e-4)


def trained(candidates, file):
    members = [Member(recipe, (averager,)) for recipe, averager in candidates]
    cohort = Cohort(members, file.scenario.stream(), seed=file.seed)
    for _ in range(4):
        cohort.train_task()
    return cohort


def test_a_plan_counts_what_is_refused_and_room_is_measured_where_there_is_a_value():
    file = read(DEPLOYED, "budget.candidates=64")
    assert 0 < plan(file).refused < 32
    check_room(file, room(file))


def test_averages_made_afterwards_are_of_each_students_own_teacher(whole):
    found = posthoc(whole, candidates=8, sampler=Qmc())
    assert found.students * 8 == len(found.made)
    for made in found.made:
        strategy = made.config["recipe"]["strategy"]
        if made.knobs["averager"] == 0:
            assert made.metrics
        elif strategy["kind"] == "mean_teacher":
            assert made.metrics and made.config["averager"] == strategy["teacher"]
        else:
            assert not made.metrics and not made.rows
