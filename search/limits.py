"""Limits: what is wrong with the bounds and ranges that a study file says of its metrics."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from spaces.constraints import Bound
from spaces.faults import Fault
from spaces.preferences import Region
from spaces.problems import hint
from spaces.specs import validate
from trainables.metrics import known, named

if TYPE_CHECKING:
    from collections.abc import Collection

    from trainables.metrics import Metric


def bound_complaint(name: str, said: Any) -> str:
    """What is wrong with a bound of the metric called ``name``; nothing if it is no bound at all."""
    try:
        bound = Bound.of(said)
    except (TypeError, ValueError):
        return ""  # told of by its type
    metric = named(name)
    due = ">=" if metric.direction == "max" else "<="
    if bound.side != due:
        better = "more" if metric.direction == "max" else "less"
        return f"{better} {name} is better: write '{due} {bound.value:g}', got '{bound}'"
    if not metric.low <= bound.value <= metric.high:
        return f"its bound must be {_between(metric)}, got '{bound}'"
    if bound.value == (metric.low if metric.direction == "max" else metric.high):
        return f"every run keeps it: the worst that {name} can be is {bound.value:g}"
    return ""


def region_complaint(name: str, said: Any, objectives: Collection[str]) -> str:
    """What is wrong with a range of the objective called ``name``; nothing if it is no range."""
    if name not in objectives:
        return f"only objectives have preferred ranges{hint(name, objectives)}"
    ends = validate(Region, said)
    if not known(name) or any(isinstance(end, Fault) for end in ends):
        return ""  # told of as an objective, or by its type
    (low, high), metric = cast("list[float]", ends), named(name)
    if metric.low <= low and high <= metric.high:
        return ""
    return f"its range must be {_between(metric)}, got [{low:g}, {high:g}]"


def _between(metric: Metric) -> str:
    if not isfinite(metric.high):
        return f"at least {metric.low:g}"
    return f"between {metric.low:g} and {metric.high:g}"
