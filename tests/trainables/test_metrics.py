"""Metrics against plain loops, and the relations between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import metrics as oracle
from trainables.metrics import METRICS, measure

SHARES = st.floats(0, 1)


def triangles(*, least=1):
    return st.integers(least, 6).flatmap(
        lambda n: st.tuples(*[st.lists(SHARES, min_size=k, max_size=k) for k in range(1, n + 1)])
    )


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_metric_is_its_formula(name, data):
    rows = data.draw(triangles(least=METRICS[name].tasks_needed))
    expected = getattr(oracle, name)(oracle.matrix(rows))
    assert measure([name], rows)[name] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_metric_lies_in_its_range(metric, data):
    value = metric.of(data.draw(triangles(least=metric.tasks_needed)))
    assert metric.low - 1e-12 <= value <= metric.high + 1e-12


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_ends_of_the_range_are_attained_and_direction_prefers_the_ideal(metric):
    ideal = [[1.0] * k for k in (1, 2, 3)]
    useless = [[0.0] * k for k in (1, 2, 3)]
    lost = [[1.0], [1.0, 1.0], [0.0, 0.0, 1.0]]
    found = [[0.0], [0.0, 0.0], [1.0, 1.0, 1.0]]
    values = [metric.of(rows) for rows in (ideal, useless, lost, found)]
    assert (min(values), max(values)) == (metric.low, metric.high)
    better = max if metric.direction == "max" else min
    assert better(values[:3]) == values[0]


@settings(deadline=None)
@given(rows=triangles(least=2))
def test_accuracy_is_plasticity_and_backward_transfer(rows):
    m, tasks = measure(METRICS, rows), len(rows)
    expected = m["plasticity"] + (tasks - 1) / tasks * m["backward_transfer"]
    assert m["accuracy"] == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(rows=triangles(least=2))
def test_order_among_metrics(rows):
    m = measure(METRICS, rows)
    assert m["forgetting"] >= -m["backward_transfer"] - 1e-12
    assert m["min_accuracy"] <= m["stability"] + 1e-12
    assert m["worst_case_accuracy"] <= m["accuracy"] + 1e-12


@settings(deadline=None)
@given(rows=triangles(least=2))
def test_part_of_a_stream_is_measured_as_a_stream(rows):
    whole, part = measure(["stability"], rows[:-1]), measure(["stability"], rows)
    assert math.isnan(whole["stability"]) == (len(rows) == 2)
    assert not math.isnan(part["stability"])


def test_undefined_metrics_are_nan():
    nothing = measure(METRICS, [])
    assert all(map(math.isnan, nothing.values()))
    single = measure(METRICS, [[0.5]])
    defined = {name for name, value in single.items() if not math.isnan(value)}
    assert defined == {"plasticity", "accuracy", "average_incremental_accuracy"}


@pytest.mark.parametrize("rows", [[[math.nan]], [[0.5], [math.nan, 0.9]], [[0.5], [0.5, math.nan]]])
def test_a_member_that_failed_has_no_score(rows):
    assert all(map(math.isnan, measure(METRICS, rows).values()))


def test_names_come_back_in_the_order_asked_for():
    assert list(measure(["stability", "plasticity"], [[1.0], [0.5, 1.0]])) == [
        "stability",
        "plasticity",
    ]


def test_unknown_name_is_met_with_a_guess():
    with pytest.raises(
        ValueError, match=r"unknown metric 'plastcity' \(did you mean 'plasticity'\?\)"
    ):
        measure(["plastcity"], [[1.0]])
    with pytest.raises(ValueError, match="one of plasticity, stability"):
        measure(["zzz"], [[1.0]])


@pytest.mark.parametrize("rows", [[[]], [[1.0], [1.0]], [[1.0, 1.0]]])
def test_rows_that_are_no_triangle_are_refused(rows):
    with pytest.raises(ValueError, match="row k must hold k \\+ 1 accuracies"):
        measure(["accuracy"], rows)
