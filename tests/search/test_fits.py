"""What does not go with a scenario is refused before anything trains, with its place and reason."""

from __future__ import annotations

import pytest

from search.studyfile import read_text
from spaces.problems import SpecError

BLURRY = """\
name: blurry
scenario: {kind: blurry_digits}
objectives: {plasticity: max, stability: max}
recipe:
  optimizer: {kind: sgd, lr: !log [1e-3, 1]}
  RECIPE
averagers:
  - AVERAGER
budget: {candidates: 4}
"""


def problems_of(recipe="batch: 16", averager="{kind: student}", scenario=None):
    text = BLURRY.replace("RECIPE", recipe).replace("AVERAGER", averager)
    if scenario:
        text = text.replace("{kind: blurry_digits}", scenario)
    try:
        read_text(text, "study.yaml")
    except SpecError as error:
        return error.problems
    return []


NOT_KNOWN = "the scenario's tasks have no boundaries that a learner may know"


@pytest.mark.parametrize(
    "recipe, place, reason",
    [
        ("optimizer_at_task: reset", "optimizer_at_task", "reset"),
        ("merge: {kind: interpolation}", "merge", "acts at the ends of tasks"),
        ("branch: {kind: annealed}", "branch", "acts at the ends of tasks"),
        (
            "strategy: {kind: finetune, terms: [{kind: agreement}]}",
            "strategy.terms.0",
            "depends on where tasks begin",
        ),
        (
            "strategy: {kind: finetune, terms: [{kind: quadratic, importance: {kind: fisher}, anchor: {kind: initial}}]}",
            "strategy.terms.0.importance",
            "acts at the ends of tasks",
        ),
        ("pulls: [{kind: at_tasks, at: start}]", "pulls.0", "depends on where tasks begin"),
        (
            "strategy: {kind: mean_teacher, teacher: {kind: compatible}}",
            "strategy.teacher",
            "acts at the ends of tasks",
        ),
        (
            "strategy: {kind: finetune, terms: [{kind: agreement, teacher: {kind: ema, momentum: 0.9}, classes: old}]}",
            "strategy.terms.0",
            "looks at old classes",
        ),
        ("alignment: {steps: 5}", "alignment", "acts at the ends of tasks"),
        (
            "pulls: [{kind: steady, toward: {kind: previous}}]",
            "pulls.0.toward",
            "depends on where tasks begin",
        ),
        (
            "strategy: {kind: replay}\n  memory: {kind: task_rings}",
            "memory",
            "must be told which task a sample is of",
        ),
        (
            "strategy: {kind: kc_ema}",
            "strategy",
            "depends on where tasks begin",
        ),
    ],
)
def test_what_acts_at_a_boundary_is_refused_where_none_is_known(recipe, place, reason):
    (problem,) = problems_of(recipe)
    assert f"recipe.{place}" in problem and reason in problem and NOT_KNOWN in problem
    assert problem.startswith("study.yaml:")
    assert problems_of(recipe, scenario="{kind: split_digits}") == []


@pytest.mark.parametrize(
    "averager", ["{kind: tail}", "{kind: merged}", "{kind: restarted, averager: {kind: uniform}}"]
)
def test_averages_that_follow_tasks_are_refused_likewise(averager):
    (problem,) = problems_of(averager=averager)
    assert problem.startswith("study.yaml:8: averagers.0") and NOT_KNOWN in problem


@pytest.mark.parametrize(
    "recipe",
    [
        "strategy: {kind: mean_teacher}",
        "strategy: {kind: finetune, terms: [{kind: agreement, teacher: {kind: ema, momentum: 0.9}}]}",
        "pulls: [{kind: steady, every: 10}]",
        "strategy: {kind: finetune, terms: [{kind: replay}]}\n  memory: {kind: reservoir}",
        "strategy: {kind: er_ace}\n  memory: {kind: greedy}",
        "strategy: {kind: cls_er}\n  memory: {kind: class_reservoir}",
    ],
)
def test_what_knows_no_boundary_is_welcome(recipe):
    assert problems_of(recipe, averager="{kind: ema, momentum: 0.9}") == []


def test_a_single_pass_has_only_so_many_batches():
    online = "{kind: online, of: {kind: split_digits, steps: 40}}"
    (problem,) = problems_of("batch: 100", scenario=online)
    assert "recipe.batch: each training sample is seen once" in problem


def test_what_depends_on_measurements_is_a_teacher_s_alone():
    (problem,) = problems_of(averager="{kind: by_drift}", scenario="{kind: blobs}")
    assert "averagers.0: by_drift: depends on what is measured" in problem
    teacher = "strategy: {kind: mean_teacher, teacher: {kind: by_drift}}"
    assert problems_of(teacher, scenario="{kind: blobs}") == []
    assert problems_of(teacher) == []  # nor does it ask where tasks end


def test_a_teacher_that_is_compared_on_all_classes_asks_for_no_boundaries():
    assert not problems_of(
        "strategy: {kind: finetune, terms: [{kind: agreement, teacher: {kind: ema, momentum: 0.9}}]}"
    )


def test_a_gate_without_a_layer_to_gate_is_refused():
    (problem,) = problems_of("model: {kind: mlp, hidden: []}\n  gate: {kind: magnitude}")
    assert "recipe.gate" in problem
    assert "no layer but its last" in problem
    assert not problems_of("gate: {kind: magnitude}")


def test_a_schedule_that_leaves_its_bounds_on_the_scenarios_own_clock_is_refused():
    eps = "{kind: adamw, lr: 0.1, eps: {kind: horizon, length: 0.1, unit: tasks}}"
    text = BLURRY.replace("RECIPE", "batch: 16").replace("AVERAGER", "{kind: student}")
    text = text.replace("{kind: sgd, lr: !log [1e-3, 1]}", eps).replace("4}", "1}")
    text = text.replace("blurry_digits", "split_digits")
    read_text(text, "study.yaml")
    with pytest.raises(SpecError) as error:
        read_text(text.replace("split_digits}", "split_digits, steps: 5}"), "study.yaml")
    (problem,) = error.value.problems
    assert "study.yaml:5: recipe.optimizer.eps: must be at least 1e-30" in problem
    assert "at every step of the scenario, got 0.0 at step 0 of 25" in problem
