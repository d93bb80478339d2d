"""Any metric may be an objective or be recorded; what a study cannot have is refused."""

from __future__ import annotations

import json
import re

import pytest

from reports import frames
from reports.tracker.rows import candidate_row
from search.events import SCHEMA, Measured
from search.folders import load
from search.ledger import NAME
from search.posthoc import posthoc, sampler_called
from search.studyfile import read_text
from spaces.problems import SpecError
from tests.search.running import TEXT, finish, opened, ran, reopened
from trainables.metrics import METRICS, OF_ACCURACY, PREFIX

AIMS = "objectives: {plasticity: max, stability: max}"
WIDER = TEXT.replace(
    AIMS,
    "objectives: {student_plasticity: max, nll: {direction: min, reference: 3}}\n"
    "metrics: [churn, forward_transfer, calibration_error, worker_seconds, parameters]",
)


def complaints(said: str) -> str:
    with pytest.raises(SpecError) as caught:
        read_text(TEXT.replace(AIMS, said), "study.yaml")
    return "\n".join(caught.value.problems)


@pytest.fixture(scope="module")
def wider(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("wider") / "study", text=WIDER)


def test_what_is_asked_for_is_recorded_of_average_and_student(wider):
    history, file = load(wider)
    asked = ["nll", "churn", "forward_transfer", "calibration_error"]
    weights = [*OF_ACCURACY, *asked]
    expected = {*weights, *(PREFIX + n for n in weights), "worker_seconds", "parameters"}
    for c in history.in_state("complete"):
        values = history.outcomes[c].values
        assert set(values) == expected
        assert values["worker_seconds"] == sum(r.seconds for r in history.records[c].values())
        rows = [r.measures["student_accuracy"] for _, r in sorted(history.records[c].items())]
        assert values["student_accuracy"] == sum(rows[-1]) / len(rows[-1])
    assert history.front(file.goals)


def test_parameters_are_of_student_average_and_teacher(wider):
    history, file = load(wider)
    shape = file.scenario.shape()
    rows = shape.inputs[0] * 8 + 8 + 8 * shape.classes + shape.classes
    for c in history.in_state("complete"):
        recipe, averager = file.candidate(history.candidates[c].config)
        kept = 1 + (averager.kind != "student") + (recipe.strategy.kind == "mean_teacher")
        assert history.outcomes[c].values["parameters"] == kept * rows


def test_it_is_told_in_frames_and_in_mlflow(wider):
    history, file = load(wider)
    candidates, records = frames.candidates(history, file), frames.records(history)
    assert candidates.columns[3:5].tolist() == ["student_plasticity", "nll"]
    assert not candidates.columns.duplicated().any()
    assert records.columns[6] == "student_accuracy"
    assert {"nll", "student_nll", "churn", "ece"} <= set(records.columns)
    assert records["churn"].isna().sum() == (records.task_learnt == records.task_tested).sum()
    complete = history.in_state("complete")[0]
    row = candidate_row(history, complete, tasks=4, parent="1")
    keys = {point.key for point in row.points}
    assert {"student_plasticity", "student_accuracy/task_3", "nll/task_0", "measured/ahead"} <= keys


def test_the_student_is_recorded_by_every_study_and_nothing_else(tmp_path):
    with opened(tmp_path / "plain", "budget.candidates=4", "rungs=null") as study:
        history = finish(study)
    measured = {name for of in history.records.values() for r in of.values() for name in r.measures}
    assert measured == {"student_accuracy"}
    assert set(history.outcomes[0].values) == {*OF_ACCURACY, *(PREFIX + n for n in OF_ACCURACY)}


def test_a_ledger_of_the_schema_before_is_read_and_gone_on_with(tmp_path):
    old = tmp_path / "old"
    with opened(old, "budget.candidates=6", "rungs=null") as study:
        whole = finish(study)
    lines = [json.loads(line) for line in (old / NAME).read_text().splitlines()]
    keep = next(
        k for k, line in enumerate(lines) if line["event"] == "record" and line["task"] == 2
    )
    for line in lines:
        line.pop("measures", None)
    lines[0]["schema"] = SCHEMA - 1
    (old / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines[:keep]))
    with reopened(old) as study:
        history = finish(study)
    for c, outcome in whole.outcomes.items():
        assert history.rows(c) == whole.rows(c)
        found = history.outcomes[c].values
        assert {n: outcome.values[n] for n in found} == found
        assert set(OF_ACCURACY) <= set(found)


def test_a_candidate_whose_objective_is_not_finite_has_failed(tmp_path):
    text = TEXT.replace(AIMS, "objectives: {plasticity: max, student_accuracy: max}")
    text = text.replace("lr: !log [1.0e-2, 0.5]", "lr: !log [1.0e+4, 1.0e+6]")
    text = re.sub(r"averagers:\n.*\n.*\n", "averagers:\n  - {kind: ema, momentum: 1.0}\n", text)
    with opened(tmp_path / "failing", "budget.candidates=3", "rungs=null", text=text) as study:
        history = finish(study)
    assert [o.state for o in history.outcomes.values()] == ["failed"] * 3
    assert {o.reason for o in history.outcomes.values()} == {"not finite: student_accuracy"}
    assert all(isinstance(r, Measured) for of in history.records.values() for r in of.values())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("objectives: {plasticity: max, student_stabilty: max}",
         "study.yaml:3: objectives.student_stabilty: unknown metric (did you mean 'student_stability'?)"),
        ("objectives: {plasticity: max, student_parameters: min}",
         "student_parameters: parameters is of the whole run, not of its weights"),
        ("objectives: {plasticity: max, nll: min}",
         "study.yaml:3: objectives.nll: has no worst value of its own: say from where on it counts"),
        ("objectives: {plasticity: max, student_churn: max}",
         "study.yaml:3: objectives.student_churn: less student_churn is better: write min, got max"),
        ("objectives: {plasticity: max, stability_gap: min}",
         "objectives.stability_gap: is of accuracies between the ends of tasks: say evaluate: {every: 10}, got none"),
        (f"{AIMS}\nevaluate: {{every: 5}}\nmetrics: [student_learning_curve_area]",
         "study.yaml:5: metrics.0: is of accuracies between the ends of tasks: say evaluate: {every: 1}, got every 5"),
        (f"{AIMS}\nmetrics: [performance_promotion, memorised_noise]",
         "4: metrics.0: is of a base set, which only instance-incremental scenarios have"),
        (f"{AIMS}\nmetrics: [performance_promotion, memorised_noise]",
         "4: metrics.1: is of corrupted labels, which only noisy_labels with a rate above 0 has"),
        (f"{AIMS}\nevaluate: {{every: 0}}", "study.yaml:4: evaluate.every: "),
        (f"{AIMS}\nmetrics: [churn, nlll]",
         "study.yaml:4: metrics.1: unknown metric (did you mean 'nll'?)"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_with_its_line(said, told):
    assert told in complaints(said)


def test_metrics_of_more_tasks_than_there_are_are_refused():
    text = TEXT.replace(AIMS, f"{AIMS}\nmetrics: [forward_transfer]").replace(
        "tasks: 4", "tasks: 1"
    )
    with pytest.raises(SpecError) as caught:
        read_text(text, "study.yaml", ["rungs=null"])
    told = "is of 2 tasks and more, the scenario has 1"
    assert f"study.yaml:4: metrics.0: {told}" in "\n".join(caught.value.problems)
    assert f"study.yaml:3: objectives.stability: {told}" in "\n".join(caught.value.problems)


def test_averages_made_afterwards_are_not_searched_by_what_is_not_measured_of_them(tmp_path):
    with opened(tmp_path / "kept", "snapshots={}", "budget.candidates=2", text=WIDER) as study:
        finish(study)
    with pytest.raises(
        SpecError, match="the objective student_plasticity is not known of averages"
    ):
        posthoc(tmp_path / "kept", candidates=2, sampler=sampler_called("random"))


def test_every_metric_is_one_a_study_may_name():
    said = ", ".join(
        n
        for n, m in METRICS.items()
        if "curve" not in m.needs and m.needs[-1] not in {"probe_base", "memorised"}
    )
    assert read_text(TEXT.replace(AIMS, f"{AIMS}\nmetrics: [{said}]"), "s").metrics


LOOKING = TEXT.replace(
    AIMS,
    "objectives: {plasticity: max, stability_gap: min, student_windowed_forgetting_10: min}\n"
    "evaluate: {every: 2}",
)


def test_looking_between_the_ends_of_tasks(tmp_path):
    overrides = ("budget.candidates=6", "rungs=null")
    with opened(tmp_path / "looking", *overrides, text=LOOKING) as study:
        history = finish(study)
    between = {n for n, m in METRICS.items() if "curve" in m.needs and m.rate > 2}
    for c in history.in_state("complete"):
        values = history.outcomes[c].values
        assert {*between, *(PREFIX + n for n in between)} <= set(values)
        assert values["stability_gap"] >= values["plasticity"] - 1
    points = candidate_row(history, 0, tasks=4, parent="1").points
    seen = [p.step for p in points if p.key == "student_curve/task_1"]
    assert seen == [6, 8, 10, 12, 12, 14, 16, 18, 18, 20, 22, 24]
    again = tmp_path / "again"
    with opened(again, *overrides, text=LOOKING) as study:
        assert finish(study).outcomes[0].values == history.outcomes[0].values


def test_an_average_of_the_ends_of_tasks_is_not_looked_at_in_between():
    kinds = "{kind: lawa, window: 2, every: 3}"
    text = LOOKING.replace("  - {kind: student}", f"  - !choice [{{kind: student}}, {kinds}]")
    with pytest.raises(SpecError) as caught:
        read_text(text, "study.yaml")
    told = "lawa is an average at the ends of tasks only, and evaluate looks in between"
    assert told in "\n".join(caught.value.problems)


def test_the_base_set_and_wrong_labels_are_of_the_scenarios_that_have_them(tmp_path):
    scenario = (
        "{kind: noisy_labels, of: {kind: instance_digits, phases: 2, base_steps: 8, steps: 4}}"
    )
    text = TEXT.replace("{kind: blobs, tasks: 4, steps: 6}", scenario).replace(
        AIMS,
        "objectives: {performance_promotion: max, base_forgetting: min, memorised_noise: min}",
    )
    with opened(tmp_path / "iil", "budget.candidates=2", "rungs=null", text=text) as study:
        history = finish(study)
    for c in history.in_state("complete"):
        values, rows = history.outcomes[c].values, history.rows(c)
        assert values["performance_promotion"] == rows[2][2] - rows[0][0]
        assert len({*rows[2]}) == 1
    assert history.in_state("complete")
