"""Preferences: the region of the front that the search should look into first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, TypeAdapter
from pydantic_core import PydanticCustomError, core_schema

from spaces.specs import Spec

if TYPE_CHECKING:
    from spaces.fronts import Costs
    from spaces.objectives import Objectives

Region = Annotated[list[float], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences(Spec):
    """Ranges of objectives by name, in their own units: ``{plasticity: [0.8, 1.0]}``. May be none.

    Of each range the one end is the *worst* that is of interest (the low one where more is better)
    and the other the *best*. Beyond the best more is worth nothing: values are cut there, as by the
    one-sided desirability functions of Derringer & Suich, of which a hypervolume is taken (Wagner &
    Trautmann, "Integration of preferences in hypervolume-based multiobjective evolutionary
    algorithms by means of desirability functions", IEEE Trans. Evolutionary Computation 2010). Short
    of the worst, where desirability is 0 and would show no way up, candidates are behind all that
    are not, by how much they are short, as those that break constraints are (Deb 2000). The two
    together are ours. Preferences are wishes: they decide who is tried and who goes on; what is
    outside the region stays on the front.
    """

    names: tuple[str, ...] = ()
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()

    @classmethod
    def of(cls, regions: Mapping[str, tuple[float, float]]) -> Preferences:
        lows, highs = zip(*regions.values(), strict=True) if regions else ((), ())
        return cls(names=tuple(regions), lows=lows, highs=highs)

    def __bool__(self) -> bool:
        return bool(self.names)

    def __str__(self) -> str:
        ranges = zip(self.names, self.lows, self.highs, strict=True)
        return ", ".join(f"{name} {low:g} to {high:g}" for name, low, high in ranges)

    def told(self) -> dict[str, list[float]]:
        """As a file says them."""
        ranges = zip(self.names, self.lows, self.highs, strict=True)
        return {name: [low, high] for name, low, high in ranges}

    def cut(self, values: ArrayLike, objectives: Objectives) -> NDArray[np.float64]:
        """``values`` [n, objectives], none better than the best of its range."""
        lows, highs = self._ranges(objectives)
        best = np.where(_more(objectives), highs, lows)
        table = _table(values, objectives)
        return np.where(_more(objectives), np.minimum(table, best), np.maximum(table, best))

    def short(self, values: ArrayLike, objectives: Objectives) -> NDArray[np.float64]:
        """By how much ``values`` [n, objectives] are worse than the worst of a range. [n, objectives].

        As a share of the range, at most 0 where they are not short, -inf where there is no range.
        """
        lows, highs = self._ranges(objectives)
        table, more = _table(values, objectives), _more(objectives)
        beyond = np.where(more, lows - table, table - highs)
        return np.divide(
            beyond, highs - lows, out=np.full_like(beyond, -np.inf), where=np.isfinite(highs - lows)
        )

    def outside(self, values: ArrayLike, objectives: Objectives) -> NDArray[np.float64]:
        """How far ``values`` [n, objectives] are from the region, in shares of its ranges. [n]."""
        lows, highs = self._ranges(objectives)
        table = _table(values, objectives)
        away = np.maximum(np.maximum(lows - table, table - highs), 0)
        ranged = np.isfinite(highs - lows)
        total: NDArray[np.float64] = (away[:, ranged] / (highs - lows)[ranged]).sum(axis=1)
        return total

    def reference_cost(self, objectives: Objectives) -> Costs:
        """The worst that is of interest, as costs: of a range its worst end, else the reference."""
        lows, highs = self._ranges(objectives)
        worst = np.where(_more(objectives), lows, highs)
        return objectives.costs(np.where(np.isfinite(worst), worst, objectives.reference))[0]

    def _ranges(self, objectives: Objectives) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ends of each objective's range, infinite where it has none. [objectives] each."""
        ends = dict(zip(self.names, zip(self.lows, self.highs, strict=True), strict=True))
        found = [ends.get(name, (-np.inf, np.inf)) for name in objectives.names]
        lows, highs = np.array(found, dtype=np.float64).T
        return lows, highs

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        ends = TypeAdapter(Region).core_schema
        region = core_schema.no_info_after_validator_function(_ascending, ends)
        regions = core_schema.dict_schema(core_schema.str_schema(), region)
        return core_schema.no_info_after_validator_function(cls.of, regions)


INDIFFERENT = Preferences()


def _ascending(ends: list[float]) -> tuple[float, float]:
    low, high = ends
    if not low < high:
        raise PydanticCustomError(
            "no_range",
            "a range goes from a lower end to a higher one, got [{low}, {high}]",
            {"low": low, "high": high},
        )
    return low, high


def _table(values: ArrayLike, objectives: Objectives) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64).reshape(-1, len(objectives.names))


def _more(objectives: Objectives) -> NDArray[np.bool_]:
    return np.array([direction == "max" for direction in objectives.directions])
