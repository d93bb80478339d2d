"""Tables: what of a spec is one number for each step, and what is left of it without them.

Specs that are equal once their tables are taken out can be trained as one cohort.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from spaces.schedules import Schedule
from trainables.averagers import Averager
from trainables.pulls import Pull

if TYPE_CHECKING:
    from collections.abc import Hashable

    from spaces.clock import Clock
    from spaces.schedules.base import Table

T = TypeVar("T")


def skeleton(spec: Any) -> Hashable:
    """``spec`` with a blank for every schedule, averager and pull; equal skeletons, same program."""
    if isinstance(spec, (Schedule, Averager, Pull)):
        return "table"
    if is_dataclass(spec):
        here = ((f.name, skeleton(getattr(spec, f.name))) for f in fields(spec))
        return (type(spec).__qualname__, *here)
    return tuple(map(skeleton, spec)) if isinstance(spec, (list, tuple)) else spec


def tables(spec: Any, clock: Clock, path: str = "") -> dict[str, Table]:
    """Every table in ``spec``, by dotted path. Each float64 [clock.steps].

    A teacher has one for after each step and, under ``settling``, one for after each task; a pull
    one for how far, and those of its target.
    """
    if isinstance(spec, Schedule):
        return {path: spec.table(clock)}
    if isinstance(spec, Averager):
        settled = np.zeros(clock.steps)
        settled[[end - 1 for end in clock.task_ends]] = spec.settling(clock)
        return {path: spec.teaching(clock), f"{path}.settling": settled}
    if isinstance(spec, Pull):
        return {path: spec.table(clock)} | tables(spec.toward, clock, f"{path}.toward")
    found: dict[str, Table] = {}
    for name, part in _parts(spec):
        found |= tables(part, clock, f"{path}.{name}".lstrip("."))
    return found


def specs_in(spec: Any, kind: type[T], path: str = "") -> dict[str, T]:
    """Every spec of a ``kind`` in ``spec``, by dotted path; none that stands inside another."""
    if isinstance(spec, kind):
        return {path: spec}
    found: dict[str, T] = {}
    for name, part in _parts(spec):
        found |= specs_in(part, kind, f"{path}.{name}".lstrip("."))
    return found


def _parts(spec: Any) -> list[tuple[str, Any]]:
    """What a spec or a sequence of specs is made of."""
    if is_dataclass(spec):
        return [(f.name, getattr(spec, f.name)) for f in fields(spec)]
    return (
        [(str(i), part) for i, part in enumerate(spec)] if isinstance(spec, (list, tuple)) else []
    )
