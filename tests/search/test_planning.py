"""A plan counts what a study would train, without training it."""

from __future__ import annotations

import pytest

from search.planning import plan
from search.studyfile import read, read_text
from spaces.problems import SpecError
from tests.search.running import TEXT, finish, opened


def planned(*overrides):
    return plan(read_text(TEXT, "tiny.yaml", overrides))


def test_counts_are_those_of_a_study_that_draws_at_random(tmp_path):
    blind = ("sampler={kind: random}", "rungs=null", "recipe.strategy={kind: finetune}")
    said = planned(*blind)
    with opened(tmp_path / "study", *blind) as study:
        history = finish(study)
    assert said.candidates == len(history.candidates)
    assert said.students == sum(len(job.members) for job in history.jobs.values())
    assert said.jobs == len(history.jobs)
    assert said.strategies == {"finetune": said.students}
    sizes = [len(job.members) for job in history.jobs.values()]
    assert said.members == (min(sizes), max(sizes))


def test_same_study_same_plan():
    assert planned() == planned()
    assert len({str(planned(f"seed={seed}")) for seed in range(4)}) > 1


def test_budget_is_met_exactly():
    said = planned("budget.candidates=7", "fold={members: 2, averages: 3}")
    assert (said.candidates, said.students, said.averages) == (7, 3, 3)
    assert said.members[1] <= 2


def test_no_fold_no_sharing():
    said = planned("fold={members: 1, averages: 1}")
    assert said.candidates == said.students == said.jobs == 24
    assert said.members == (1, 1)


def test_steps_and_rungs_are_the_streams():
    assert (planned().steps, planned().rungs) == (24, (2,))
    assert planned("rungs=null").rungs == ()
    assert planned("scenario.tasks=9").rungs == (2, 4, 8)


def test_memory_grows_with_the_model_and_with_what_shares_a_job():
    small, wide = planned().memory, planned("recipe.model.hidden=[512]").memory
    assert wide > 10 * small
    many = planned("recipe.model.hidden=[512]", "fold={members: 12, averages: 2}").memory
    assert many > 1.5 * wide


def test_what_a_promising_candidate_costs_besides_is_told():
    """24 steps of the student, with twins and a branch of 12 steps twice, for each further seed."""
    assert "none: each candidate is trained once" in str(planned())
    told = "up to 2 for who is promising, not counted above: 2 to 48 trainings of up to 24 steps, 48 to 1,152 in all"
    assert told in str(planned("repeats={seeds: 3}"))
    for unsure in ("budget.device_seconds=1", "constraints={forgetting: '<= 0.1'}"):
        assert planned("repeats={seeds: 3}", unsure).further == (0, 48)
    both = ("metrics=[churn_across_seeds]", "recipe.branch={kind: annealed, length: 0.5}")
    said = planned("repeats={seeds: 4}", *both)
    assert said.branched > 0
    assert f"3 to 72 trainings of up to {2 * (24 + said.branched)} steps" in str(said)


@pytest.mark.parametrize(
    "fold", ["fold={members: 1, averages: 1}", "fold={members: 4, averages: 4}"]
)
def test_repeats_keep_to_what_was_planned(tmp_path, fold):
    """Trainings of students are counted, in which averages that are promising together share one."""
    said = ("sampler={kind: random}", "rungs=null", "repeats={seeds: 3, margin: 2}", fold)
    few, many = planned(*said).further
    with opened(tmp_path / "study", *said) as study:
        history = finish(study)
    repeats = {n for of in history.repeats.values() for n in of}
    trained = [m for job in history.jobs.values() for m in job.members if repeats & set(m)]
    assert few <= len(trained) <= len(repeats) <= many
    assert (few, many) == (2, 48)


def test_twins_are_planned_where_a_metric_looks_at_them_only():
    plain, twins = planned(), planned("metrics=[student_churn_across_seeds]")
    assert "twin" not in str(plain)
    assert "; beside each a twin of another seed" in str(twins)
    assert 1.5 * plain.memory < twins.memory < 2 * plain.memory


def test_branches_are_planned_with_the_steps_that_they_take_besides():
    told = str(planned("recipe.branch={kind: annealed, length: 0.5}"))
    assert "24 steps each and up to 12 more on branches" in told
    assert "1 for branches" in told
    assert "branches" not in str(planned())


def test_memory_cuts_jobs_and_a_plan_says_so():
    free = planned("recipe.model.hidden=[512]", "fold={members: 12, averages: 2}")
    assert free.cut == "at most 12 students a job (fold.members)"
    tight = planned("recipe.model.hidden=[512]", "fold={members: 12, averages: 2, memory: 2MiB}")
    assert tight.memory <= 2**21 < free.memory
    assert tight.students == free.students
    assert tight.jobs > free.jobs
    assert "students a job for want of memory (fold.members: 12)" in str(tight)
    assert "2.0 MiB (fold.memory)" in str(tight)


def test_a_student_that_never_fits_is_refused():
    with pytest.raises(SpecError, match=r"a student \(mlp, finetune\) with its 2 averages takes"):
        planned("fold.memory=1KiB")


@pytest.mark.parametrize("name", ["digits-frontier", "split-digits", "smoke"])
def test_shipped_studies_can_be_planned(name):
    file = read(name)
    said = plan(file)
    assert said.candidates == file.budget.candidates
    assert said.memory < 2**30
    assert all(len(line) <= 80 for line in str(said).splitlines())


def test_snapshots_take_room_and_the_disk_a_plan_says():
    without, kept = planned(), planned("snapshots={every: 2, gammas: [0]}")
    assert without.disk == 0
    row = 4 * 112  # bytes of 8 x 8 + 8 + 8 x 4 + 4 weights, whole cache lines
    # After the 1st, 2nd, 4th and 6th of the first task's steps, every second of the others'.
    assert kept.disk == kept.students * row * (4 + 3 + 3 + 3)
    assert kept.memory == without.memory + without.members[1] * row * 4
    assert "snapshots   none are kept" in str(without)
    assert "KiB on the disk" in str(kept)


@pytest.mark.parametrize(
    "norm, says", [("batch", "stacks      no model"), ("group", "stacks      every model")]
)
def test_a_plan_says_which_models_do_not_stack(norm, says):
    cnn = f"recipe.model={{kind: cnn, norm: {norm}}}"
    assert says in str(plan(read("digits-frontier", [cnn, "budget.candidates=16"])))


def test_another_seed_is_another_job_and_a_plan_says_so():
    still = planned("fold={members: 12, averages: 2}", "recipe.strategy={kind: finetune}")
    assert (still.seeds, still.jobs) == ((0,), 1)
    assert "seeds       0 (recipe.seed), that of every student" in str(still)
    text = TEXT.replace("recipe:\n", "recipe:\n  seed: !int [0, 2]\n")
    overrides = ("fold={members: 12, averages: 2}", "recipe.strategy={kind: finetune}")
    searched = plan(read_text(text, "tiny.yaml", overrides))
    assert searched.seeds == (0, 1, 2)
    assert (searched.jobs, searched.knobs) == (3, still.knobs + 1)
    assert "seeds       3 (recipe.seed, 0 to 2), each in jobs of its own" in str(searched)


def test_windows_that_overlap_take_the_room_of_their_rows():
    wide = "recipe.model.hidden=[512]", "recipe.strategy={kind: finetune}", "fold.memory=4MiB"
    lawa = "averagers=[{kind: lawa, window: 12, every: 1}, {kind: lawa, window: 11, every: 1}]"
    ema = "averagers=[{kind: ema, momentum: 0.9}, {kind: ema, momentum: 0.8}]"
    few, many = planned(*wide, ema), planned(*wide, lawa)  # windows over two tasks of 6 steps
    row = 4 * (8 * 512 + 512 + 512 * 4 + 4 + 12)
    each = (many.memory - few.memory) / few.members[1] / few.averages
    assert few.members == many.members
    assert row <= each < 1.1 * row
    tight = *wide[:2], f"fold.memory={few.memory // 1024 + 1}KiB"
    assert planned(*tight, ema).members[1] == few.members[1] > planned(*tight, lawa).members[1]
    with pytest.raises(SpecError, match=r"its 2 averages \(up to 4 rows\) takes"):
        planned(*wide[:2], lawa, "fold.memory=200KiB")


def test_a_plan_says_what_stands_beside_the_students():
    alone = planned("recipe.strategy={kind: finetune}")
    assert "companions  none: only students" in str(alone)
    ties = planned("recipe.strategy={kind: finetune}", "recipe.merge={kind: ties}")
    assert ties.beside == {"ends of tasks": 4}
    assert "companions  rows of weights beside a student: up to 4 for ends of tasks" in str(ties)
    live = planned("recipe.strategy={kind: mean_teacher, teacher: {kind: by_gradient_noise}}")
    assert live.beside["teachers and targets"] == 2  # the teacher, and the gradient it remembers
    assert live.memory > alone.memory


def test_a_merge_that_is_followed_takes_the_room_of_what_it_looks_at():
    student, ties = (
        planned("recipe.strategy={kind: finetune}", f"averagers=[{kind}]", "budget.candidates=1")
        for kind in ("{kind: student}", "{kind: merged, by: {kind: ties}}")
    )
    assert ties.memory > student.memory
