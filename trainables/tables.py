"""Tables: what of a spec is one number for each step, and what is left of it without them.

Specs that are equal once their tables are taken out can be trained as one cohort.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from spaces.schedules import Schedule
from trainables.averagers import Averager

if TYPE_CHECKING:
    from collections.abc import Hashable

    from spaces.clock import Clock
    from spaces.schedules.base import Table


def skeleton(spec: Any) -> Hashable:
    """``spec`` with a blank for every schedule and averager; equal skeletons, same program."""
    if isinstance(spec, (Schedule, Averager)):
        return "table"
    if is_dataclass(spec):
        here = ((f.name, skeleton(getattr(spec, f.name))) for f in fields(spec))
        return (type(spec).__qualname__, *here)
    return tuple(map(skeleton, spec)) if isinstance(spec, (list, tuple)) else spec


def tables(spec: Any, clock: Clock, path: str = "") -> dict[str, Table]:
    """Every table in ``spec``, by dotted path. Each float64 [clock.steps]."""
    if isinstance(spec, Schedule):
        return {path: spec.table(clock)}
    if isinstance(spec, Averager):
        return {path: spec.weights(clock)}
    found: dict[str, Table] = {}
    if is_dataclass(spec):
        for f in fields(spec):
            found |= tables(getattr(spec, f.name), clock, f"{path}.{f.name}".lstrip("."))
    elif isinstance(spec, (list, tuple)):
        for i, item in enumerate(spec):
            found |= tables(item, clock, f"{path}.{i}".lstrip("."))
    return found
