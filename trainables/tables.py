"""Tables: what of a spec is one number for each step, and what is left of it without them.

Specs that are equal once their tables are taken out can be trained as one cohort.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast

import numpy as np

from spaces.schedules import Schedule
from trainables.averagers import Averager
from trainables.branches import Branch
from trainables.pulls import Pull

if TYPE_CHECKING:
    from collections.abc import Hashable

    from spaces.clock import Clock
    from spaces.schedules.base import Table

T = TypeVar("T")


def skeleton(spec: Any) -> Hashable:
    """``spec`` with a blank for every schedule, averager, pull and branch; equal skeletons, same program.

    Live averagers are no tables: of them, and of pulls towards them, only the schedules are blanked.
    """
    if type(spec) in _PLAIN:
        return spec
    if isinstance(spec, Pull):
        return "pull", skeleton(spec.toward)
    if isinstance(spec, Branch):
        return "branch"
    if isinstance(spec, Schedule) or _is_table(spec):
        return "table"
    if is_dataclass(spec):
        here = [
            (name, skeleton(getattr(spec, name))) for name in _names(cast("Hashable", type(spec)))
        ]
        return (type(spec).__qualname__, *here)
    return tuple(map(skeleton, spec)) if isinstance(spec, (list, tuple)) else spec


@cache
def _names(kind: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cast("Any", kind)))


_PLAIN = {int, float, str, bool, NoneType}
"""What is of no kind of spec."""


def tables(spec: Any, clock: Clock, path: str = "") -> dict[str, Table]:
    """Every table in ``spec``, by dotted path. Each float64 [clock.steps].

    A teacher has one for after each step and, under ``settling``, one for after each task, unless
    it is live and has those of its schedules; a pull
    one for how far, under ``opening`` one for before each task, and those of its target; a branch
    that of its rates.
    """
    if isinstance(spec, Schedule):
        return {path: spec.table(clock)}
    if isinstance(spec, Branch):
        return {path: spec.rates(clock)}
    if _is_table(spec):
        settled = np.zeros(clock.steps)
        settled[[end - 1 for end in clock.task_ends]] = spec.settling(clock)
        return {path: spec.teaching(clock), f"{path}.settling": settled}
    if isinstance(spec, Pull):
        opened = np.zeros(clock.steps)
        opened[list(clock.task_starts)] = spec.opening(clock)
        own = {path: spec.table(clock), f"{path}.opening": opened}
        return own | tables(spec.toward, clock, f"{path}.toward")
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


def _is_table(spec: Any) -> TypeGuard[Averager]:
    return isinstance(spec, Averager) and not spec.live


def _parts(spec: Any) -> list[tuple[str, Any]]:
    """What a spec or a sequence of specs is made of."""
    if is_dataclass(spec):
        return [(name, getattr(spec, name)) for name in _names(cast("Hashable", type(spec)))]
    return (
        [(str(i), part) for i, part in enumerate(spec)] if isinstance(spec, (list, tuple)) else []
    )
