"""Metrics against plain loops, and the relations between them."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import metrics as oracle
from trainables.metrics import METRICS, OF_ACCURACY, defined, measure, names, sheet_of, table

SHARES = st.floats(0, 1)


def lists(size):
    return st.lists(SHARES, min_size=size, max_size=size)


def triangles(*, least=1):
    return st.integers(least, 6).flatmap(lambda n: st.tuples(*[lists(k) for k in range(1, n + 1)]))


@st.composite
def sheets(draw, *, least=1):
    """All that may be measured of a stream; curves end, and begin, where the tasks do."""
    tasks = draw(st.integers(least, 5))
    rows = [draw(lists(k + 1)) for k in range(tasks)]
    steps = [0, *accumulate(draw(st.integers(1, 14)) for _ in range(tasks))]
    curves = []
    for k, (start, end) in enumerate(pairwise(steps)):
        first = [start, *(rows[k - 1] if k else []), draw(SHARES)]
        inner = [[n, *draw(lists(k + 1))] for n in range(start + 1, end)]
        curves.append([v for e in [first, *inner, [end, *rows[k]]] for v in e])
    last = [1] * (tasks - 1) + [0]
    return {
        "accuracy": rows,
        "curve": curves,
        **{
            name: [draw(lists(k + 1)) for k in range(tasks)]
            for name in ("nll", "brier", "ece", "twin_churn")
        },
        **{name: [draw(lists(n)) for n in last] for name in ("ahead", "untrained")},
        "churn": [draw(lists(k)) for k in range(tasks)],
        **{
            name: [draw(lists(1)) for _ in range(tasks)]
            for name in ("probe_base", "memorised", "joint", "seconds", "parameters")
        },
    }


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_metric_is_its_formula(name, data):
    sheet = data.draw(sheets(least=METRICS[name].tasks_needed))
    expected = getattr(oracle, name)(oracle.Sheet(sheet))
    assert measure([name], sheet)[name] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["min_accuracy", "worst_case_accuracy"])
@settings(deadline=None, max_examples=25)
@given(rows=triangles(least=2))
def test_minima_without_curves_are_those_at_the_ends_of_tasks(name, rows):
    expected = getattr(oracle, name)(oracle.Sheet({"accuracy": rows}))
    assert measure([name], {"accuracy": rows})[name] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_metric_lies_in_its_range(metric, data):
    value = metric.value(data.draw(sheets(least=metric.tasks_needed)))
    assert metric.low - 1e-12 <= value <= metric.high + 1e-12


@pytest.mark.parametrize("name", OF_ACCURACY)
def test_ends_of_the_range_are_attained_and_direction_prefers_the_ideal(name):
    metric = METRICS[name]
    ideal = [[1.0] * k for k in (1, 2, 3)]
    useless = [[0.0] * k for k in (1, 2, 3)]
    lost = [[1.0], [1.0, 1.0], [0.0, 0.0, 1.0]]
    found = [[0.0], [0.0, 0.0], [1.0, 1.0, 1.0]]
    values = [metric.value({"accuracy": rows}) for rows in (ideal, useless, lost, found)]
    assert (min(values), max(values)) == (metric.low, metric.high)
    better = max if metric.direction == "max" else min
    assert better(values[:3]) == values[0]


@settings(deadline=None)
@given(rows=triangles(least=2))
def test_accuracy_is_plasticity_and_backward_transfer(rows):
    m, tasks = measure(OF_ACCURACY, {"accuracy": rows}), len(rows)
    expected = m["plasticity"] + (tasks - 1) / tasks * m["backward_transfer"]
    assert m["accuracy"] == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(sheet=sheets(least=2))
def test_order_among_metrics(sheet):
    m, at_ends = measure(METRICS, sheet), measure(OF_ACCURACY, {"accuracy": sheet["accuracy"]})
    assert m["forgetting"] >= -m["backward_transfer"] - 1e-12
    assert m["min_accuracy"] <= at_ends["min_accuracy"] + 1e-12 <= m["stability"] + 2e-12
    assert m["worst_case_accuracy"] <= m["accuracy"] + 1e-12
    assert m["windowed_forgetting_10"] <= m["windowed_forgetting_100"] + 1e-12
    assert m["windowed_plasticity_10"] <= m["windowed_plasticity_100"] + 1e-12
    assert m["stability_gap"] <= m["plasticity"] * len(sheet["curve"]) + 1e-12


@settings(deadline=None, max_examples=30)
@given(sheet=sheets())
def test_the_students_metrics_are_those_of_what_was_measured_of_it(sheet):
    own = {f"student_{name}": rows for name, rows in sheet.items()}
    expected = {
        f"student_{name}": value
        for name, value in defined(sheet).items()
        if METRICS[name].subject == "weights"
    }
    assert defined(own) == expected
    assert set(defined(sheet)) <= set(METRICS)


@settings(deadline=None)
@given(rows=triangles(least=2))
def test_part_of_a_stream_is_measured_as_a_stream(rows):
    whole, part = (measure(["stability"], {"accuracy": r}) for r in (rows[:-1], rows))
    assert math.isnan(whole["stability"]) == (len(rows) == 2)
    assert not math.isnan(part["stability"])


def test_undefined_metrics_are_nan():
    nothing = measure(names(), {})
    assert all(map(math.isnan, nothing.values()))
    assert set(defined({"accuracy": [[0.5]]})) == {
        "plasticity",
        "accuracy",
        "average_incremental_accuracy",
    }


@pytest.mark.parametrize("rows", [[[math.nan]], [[0.5], [math.nan, 0.9]], [[0.5], [0.5, math.nan]]])
def test_weights_that_failed_have_no_score(rows):
    assert all(map(math.isnan, measure(METRICS, {"accuracy": rows}).values()))


def test_what_failed_after_one_task_fails_the_metrics_that_need_it():
    records = [{"accuracy": (0.5,), "nll": (1.0,)}, {"accuracy": (0.5, 0.5)}]
    values = defined(sheet_of(records))
    assert "accuracy" in values
    assert "nll" not in values
    late = defined(sheet_of([*records, {"accuracy": (0.5,) * 3, "nll": (1.0,) * 3}]))
    assert "nll" not in late


def test_a_curve_that_failed_fails_the_minima():
    sheet = {"accuracy": [[0.5], [0.5, 0.5]], "curve": [[0, 0.1, 5, 0.5], [math.nan]]}
    assert math.isnan(measure(["min_accuracy"], sheet)["min_accuracy"])


def test_names_come_back_in_the_order_asked_for():
    sheet = {"accuracy": [[1.0], [0.5, 1.0]]}
    assert list(measure(["stability", "plasticity"], sheet)) == ["stability", "plasticity"]


def test_unknown_name_is_met_with_a_guess():
    with pytest.raises(
        ValueError, match=r"unknown metric 'plastcity' \(did you mean 'plasticity'\?\)"
    ):
        measure(["plastcity"], {})
    with pytest.raises(ValueError, match="one of plasticity, stability"):
        measure(["zzz"], {})
    with pytest.raises(ValueError, match="unknown metric 'student_parameters'"):
        measure(["student_parameters"], {})


@pytest.mark.parametrize("rows", [[[]], [[1.0], [1.0]], [[1.0, 1.0]]])
def test_rows_that_are_no_triangle_are_refused(rows):
    with pytest.raises(ValueError, match="row k must hold k \\+ 1 accuracies"):
        measure(["accuracy"], {"accuracy": rows})


def test_the_readme_lists_every_metric():
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert f"<!-- trainables.metrics.table() -->\n{table()}\n" in readme
