"""Constraints: what a candidate must keep to, whatever else it is good at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic_core import PydanticCustomError, core_schema

from spaces.specs import Spec

Side: TypeAlias = Literal["<=", ">="]
Excesses: TypeAlias = "NDArray[np.float64]"

_SAID = re.compile(r"\s*(<=|>=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
FORM = "'<= x' or '>= x' with a number for x is due"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound(Spec):
    """What a file says of one metric: ``"<= 0.1"`` or ``">= 0.5"``, in the metric's own units."""

    side: Side
    value: float

    @classmethod
    def of(cls, said: str) -> Bound:
        """Raises ValueError if ``said`` is neither."""
        found = _SAID.fullmatch(said)
        if found is None:
            raise ValueError(f"{FORM}, got {said!r}")
        return cls(side="<=" if found[1] == "<=" else ">=", value=float(found[2]))

    def __str__(self) -> str:
        return f"{self.side} {self.value:g}"

    def excess(self, values: ArrayLike) -> Excesses:
        """By how much ``values`` go beyond it, as a share of it; at most 0 where they keep it.

        ``(v - b) / |b|`` for ``<= b`` and its negative for ``>= b``: so broken bounds of different
        metrics can be added up (Deb, "An efficient constraint handling method for genetic
        algorithms", Computer Methods in Applied Mechanics and Engineering 2000, section 3). The
        share of a bound of 0 is in the metric's own units.
        """
        scale = abs(self.value) or 1.0
        over = (np.asarray(values, dtype=np.float64) - self.value) / scale
        return over if self.side == "<=" else -over


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraints(Spec):
    """Bounds of metrics by name: ``{forgetting: "<= 0.1", accuracy: ">= 0.5"}``. May be none.

    A whole stream that breaks one is complete but infeasible: it stands on no front.
    """

    names: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, str | Bound]) -> Constraints:
        """Raises ValueError if a bound is none."""
        bounds = [Bound.of(b) if isinstance(b, str) else b for b in said.values()]
        return cls(names=tuple(said), bounds=tuple(bounds))

    def __bool__(self) -> bool:
        return bool(self.names)

    def __str__(self) -> str:
        return ", ".join(f"{n} {b}" for n, b in zip(self.names, self.bounds, strict=True))

    def told(self) -> dict[str, str]:
        """As a file says them."""
        return {n: str(b) for n, b in zip(self.names, self.bounds, strict=True)}

    def excesses(self, values: Mapping[str, float]) -> dict[str, float]:
        """By how much one outcome goes beyond each bound (see ``Bound.excess``).

        Raises KeyError if a metric is not among the values.
        """
        pairs = zip(self.names, self.bounds, strict=True)
        return {name: float(bound.excess(values[name])) for name, bound in pairs}

    def violation(self, values: Mapping[str, float]) -> float:
        """The sum of what is beyond the bounds; 0 if and only if every bound is kept."""
        return sum(max(0.0, over) for over in self.excesses(values).values())

    def feasible(self, values: Mapping[str, float]) -> bool:
        """Whether every bound is kept. A bound itself is."""
        return self.violation(values) == 0

    def among(self, names: tuple[str, ...]) -> Constraints:
        """Those of ``names`` alone."""
        pairs = zip(self.names, self.bounds, strict=True)
        return Constraints.of({name: bound for name, bound in pairs if name in names})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        bound = core_schema.no_info_before_validator_function(_read, handler(Bound))
        bounds = core_schema.dict_schema(core_schema.str_schema(), bound)
        return core_schema.no_info_after_validator_function(cls.of, bounds)


UNCONSTRAINED = Constraints()


def _read(said: Any) -> Any:
    """Of a text its bound, and no other way to say one."""
    try:
        bound = Bound.of(said) if isinstance(said, str) else None
    except ValueError as error:
        raise PydanticCustomError("no_bound", "{why}", {"why": str(error)}) from None
    if bound is None:
        raise PydanticCustomError("no_bound", "{why}", {"why": f"{FORM}, in quotes"})
    return {"side": bound.side, "value": bound.value}
