"""Objectives: which metrics a study trades off, which way is better, and the worst that counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic_core import PydanticCustomError, core_schema

from spaces.specs import Spec

Direction: TypeAlias = Literal["max", "min"]
Costs: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Aim(Spec):
    """What a file says of one metric: ``max``, or ``{direction: max, reference: 0.1}``.

    ``reference`` is the worst value that counts, in the metric's own units; without it, 0 where
    more is better and 1 where less is.
    """

    direction: Direction
    reference: float | None = None

    @property
    def worst(self) -> float:
        if self.reference is None:
            return 0.0 if self.direction == "max" else 1.0
        return self.reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Objectives(Spec):
    """At least two metrics in an order of their own; ``reference`` is in the metrics' units.

    A file says ``{plasticity: max, stability: max}``; so does ``Objectives.of`` in Python.
    """

    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    reference: tuple[float, ...]

    @classmethod
    def of(cls, aims: Mapping[str, Direction | Aim]) -> Objectives:
        told = [Aim(direction=aim) if isinstance(aim, str) else aim for aim in aims.values()]
        return cls(
            names=tuple(aims),
            directions=tuple(aim.direction for aim in told),
            reference=tuple(aim.worst for aim in told),
        )

    def costs(self, values: ArrayLike) -> Costs:
        """Metrics' values [n, objectives] turned so that less is better on each. Float64."""
        return np.asarray(values, dtype=np.float64).reshape(-1, len(self.names)) * self._signs

    @property
    def reference_cost(self) -> Costs:
        """The reference as costs. Float64 [objectives]."""
        return self.costs(self.reference)[0]

    @property
    def _signs(self) -> Costs:
        return _signs_of(self.directions)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        aim = core_schema.no_info_before_validator_function(_spell_out, handler(Aim))
        aims = core_schema.dict_schema(core_schema.str_schema(), aim)
        return core_schema.no_info_after_validator_function(_several, aims)


@cache
def _signs_of(directions: tuple[Direction, ...]) -> Costs:
    signs = np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    signs.flags.writeable = False
    return signs


def _spell_out(value: Any) -> Any:
    return {"direction": value} if isinstance(value, str) else value


def _several(aims: dict[str, Aim]) -> Objectives:
    if len(aims) < 2:
        raise PydanticCustomError(
            "too_few_objectives",
            "a trade-off is between at least two metrics, such as "
            "{plasticity: max, stability: max}",
        )
    return Objectives.of(aims)
