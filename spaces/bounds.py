"""Bounds: the values a schedule may take at any step, checked before anything trains."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Protocol,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from pydantic_core import PydanticCustomError, core_schema

from spaces.clock import Clock
from spaces.problems import Path
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spaces.schedules.base import Table

PROBE = Clock(steps=64, task_starts=(0, 16, 32, 48))
"""The clock on which a schedule is looked at when its file is read: short, with several tasks."""


class _HasTable(Protocol):
    def table(self, clock: Clock) -> Table: ...

    def span(self, clock: Clock) -> tuple[float, float]: ...


@dataclass(frozen=True, slots=True)
class Within:
    """Metadata of a field: ``momentum: Annotated[Schedule, Within(0, 1)]``.

    Every value of the schedule's table on ``PROBE`` lies in [``low``, ``high``], or in
    (``low``, ``high``] where ``open_low``; an infinite end means that any finite value will do.
    """

    low: float
    high: float
    _: Any = None
    open_low: bool = field(default=False, kw_only=True)

    def worst_outside(self, schedule: _HasTable, clock: Clock = PROBE) -> tuple[float, int] | None:
        """The value on ``clock`` that is furthest out of bounds, and its step; None if all are in."""
        if self._holds(*schedule.span(clock)):
            return None
        with np.errstate(all="ignore"):
            table = schedule.table(clock)
            beyond = np.maximum(self.low - table, table - self.high)
        above = table > self.low if self.open_low else table >= self.low
        outside = ~(above & (table <= self.high) & np.isfinite(table))
        step = int(np.argmax(np.where(outside, beyond, -np.inf)))
        return float(table[step]), step

    def _holds(self, least: float, most: float) -> bool:
        """Whether values between two, of which one is not finite if one of the values is not, are in."""
        above = least > self.low if self.open_low else least >= self.low
        return above and most <= self.high and -np.inf < least and most < np.inf

    def __str__(self) -> str:
        """The bounds in words that follow "must be", such as "between 0 and 1"."""
        floor = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        if self.high == np.inf:
            return "finite" if self.low == -np.inf else f"{floor} and finite"
        if self.low == -np.inf:
            return f"at most {self.high:g}"
        if self.open_low:
            return f"{floor} and at most {self.high:g}"
        return f"between {self.low:g} and {self.high:g}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, schedule: _HasTable) -> _HasTable:
        found = self.worst_outside(schedule)
        if found is not None:
            value, step = found
            raise PydanticCustomError(
                "out_of_bounds",
                "must be {bounds} at every step, got {value} at step {step} of {steps}",
                {"bounds": str(self), "value": value, "step": step, "steps": PROBE.steps},
            )
        return schedule


def out_of_bounds(spec: Any, clock: Clock, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every schedule in ``spec`` that leaves its bounds on ``clock``: its path and how.

    ``PROBE`` shows most of them when a file is read; what depends on how long tasks are may keep to
    its bounds there and not here.
    """
    kind: Any = type(spec)
    for name, within in _bounds_of(kind).items():
        value = getattr(spec, name)
        if within is not None and (found := within.worst_outside(value, clock)):
            told = f"got {found[0]} at step {found[1]} of {clock.steps}"
            yield (*path, name), f"must be {within} at every step of the scenario, {told}"
        if isinstance(value, Spec):
            yield from out_of_bounds(value, clock, (*path, name))
        elif isinstance(value, tuple):
            for at, part in enumerate(value):
                if isinstance(part, Spec):
                    yield from out_of_bounds(part, clock, (*path, name, at))


@cache
def _bounds_of(kind: Any) -> dict[str, Within | None]:
    """The fields of a kind of spec that may hold others, and the bounds of those that are schedules."""
    hints = get_type_hints(kind, include_extras=True)
    notes = {f.name: getattr(hints[f.name], "__metadata__", ()) for f in fields(kind)}
    bounds = {name: [n for n in of if isinstance(n, Within)] for name, of in notes.items()}
    return {name: next(iter(of), None) for name, of in bounds.items() if not _is_plain(hints[name])}


def _is_plain(hint: Any) -> bool:
    """Whether a field is a number or a word."""
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return bare in {int, float, str, bool} or get_origin(bare) is Literal
