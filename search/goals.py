"""Goals: what a study is after, and which outcomes that makes better than which."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from spaces.constraints import UNCONSTRAINED, Constraints
from spaces.fronts import hypervolume
from spaces.preferences import INDIFFERENT, Preferences
from trainables.metrics import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spaces.fronts import Costs
    from spaces.objectives import Objectives


@dataclass(frozen=True, kw_only=True, slots=True)
class Goals:
    """Objectives to trade off, constraints to keep to, and where on the front to look first.

    An outcome that breaks a constraint is *infeasible*: worse than every one that keeps them all.
    Without constraints and preferences all is as with the objectives alone.
    """

    objectives: Objectives
    constraints: Constraints = UNCONSTRAINED
    preferences: Preferences = INDIFFERENT

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that a whole stream must define: of objectives and of constraints."""
        return tuple(dict.fromkeys((*self.objectives.names, *self.constraints.names)))

    def feasible(self, values: Mapping[str, float]) -> bool:
        """Whether a whole stream with these metrics keeps every constraint."""
        return self.constraints.feasible(values)

    def told(self, values: Mapping[str, float]) -> list[float]:
        """The objectives as a sampler is told them: no better than what is preferred."""
        row = self._row(values)
        if not self.preferences:
            return row
        return [float(v) for v in self.preferences.cut(row, self.objectives)[0]]

    def limits(self, values: Mapping[str, float]) -> dict[str, float]:
        """What a sampler is to keep at or below 0: excesses over bounds, and shortness of ranges."""
        excesses = self.constraints.excesses(values)
        if not self.preferences:
            return excesses
        short = dict(zip(self.objectives.names, self._short(values), strict=True))
        return excesses | {f"preferred.{n}": float(short[n]) for n in self.preferences.names}

    @property
    def beyond_limits(self) -> dict[str, float]:
        """What stands for ``limits`` where no whole stream was seen: more than any has.

        A sampler would otherwise take pruned candidates, which it does not tell apart, for better
        than a complete one that breaks a limit by a little.
        """
        names = (*self.constraints.names, *(f"preferred.{n}" for n in self.preferences.names))
        return dict.fromkeys(names, inf)

    def behind(self, so_far: Mapping[str, float]) -> float:
        """How far a stream is behind those that lack nothing, by what is known of it so far.

        0: it lacks nothing. In (0, 1): the objectives are short of a preferred range, by s shares of
        it: s / (1 + s). Above 1: a constraint is broken for good, by an excess of this less 1. That
        is known of what only grows (seconds, parameters). All other metrics can still recover: even
        forgetting, a mean over tasks of which further ones may be kept better, or come back.
        """
        broken = self._settled().violation(so_far)
        if broken:
            return 1 + broken
        short = float(np.maximum(self._short(so_far), 0).sum())
        return short / (1 + short)

    def served(self, costs: Costs) -> float:
        """The hypervolume of costs [n, objectives] within what is preferred."""
        signs = self.objectives.costs(np.ones(len(self.objectives.names)))[0]
        cut = self.objectives.costs(self.preferences.cut(costs * signs, self.objectives))
        return hypervolume(cut, self.preferences.reference_cost(self.objectives))

    def nearest(self, values: Sequence[Mapping[str, float]]) -> list[int]:
        """Which rows of a front lie in the preferred region; if none does, those nearest to it."""
        table = np.array([[v[n] for n in self.objectives.names] for v in values])
        away = self.preferences.outside(table, self.objectives)
        return [int(i) for i in np.flatnonzero(away <= away.min(initial=np.inf))]

    def broken(self, values: Mapping[str, float]) -> str:
        """The constraints that an outcome breaks, and by what; nothing if it is feasible."""
        over = self.constraints.excesses(values)
        bounds = self.constraints.told()
        return ", ".join(f"{n} {values[n]:.4g} (not {bounds[n]})" for n in over if over[n] > 0)

    def unmet(self, finals: Mapping[int, Mapping[str, float]]) -> str:
        """That none of the outcomes of whole streams, by candidate, is feasible, if so."""
        if not finals or any(map(self.feasible, finals.values())):
            return ""
        nearest = min(finals, key=lambda c: self.constraints.violation(finals[c]))
        told = f"none of {len(finals)} complete candidates keeps {self.constraints}"
        return f"{told}; the nearest is {nearest}: {self.broken(finals[nearest])}"

    def _settled(self) -> Constraints:
        grow = tuple(name for name in self.constraints.names if named(name).grows)
        return self.constraints.among(grow)

    def _row(self, values: Mapping[str, float]) -> list[float]:
        return [values[name] for name in self.objectives.names]

    def _short(self, values: Mapping[str, float]) -> Costs:
        short: Costs = self.preferences.short(self._row(values), self.objectives)[0]
        return short
