"""Tree-structured Parzen estimator for several objectives (the default)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from search.pruned import Pruned
from search.pruned.bad import Bad
from search.samplers.base import Ask, Keyed, Knobs, Pick, Sampler, Told
from search.samplers.densities import Cells, Grid, Ground, Rows, spread
from spaces import fronts
from spaces.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from search.samplers.base import Scope
    from search.samplers.densities import Row
    from spaces.fronts import Costs
    from spaces.objectives import Objectives
    from spaces.space import Domain


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Tpe(Sampler):
    """Draws where good candidates are dense among all, one knob at a time.

    Good is the ``share`` of the candidates that ended, at most ``most``, by non-dominated rank and then by hypervolume
    (Ozaki et al., "Multiobjective tree-structured Parzen estimator", JAIR 2022); those that broke
    their limits are behind all that kept them, by how much they did. A knob inside an
    option learns from the candidates that had it. Of ``draws`` draws from the density l of the good,
    a number is the one with the largest l / g, where g is the density of all that were asked for:
    those still running repel the next, so that candidates asked for together differ. (In the paper
    g is of all that are not good. The order of l / g is the same.)

    Of a choice each option's share of good candidates is drawn from its posterior, a beta
    distribution, and the option with the largest is taken (Thompson, Biometrika 1933). With the
    largest l / g instead, as in the paper, one search in four stayed with an option that was ahead
    by luck when it began.

    ``share`` is the paper's. That there is a most is ours: with 20 the true front's 95 % are found
    in 10 device-seconds by 27 of 40 searches of the table ``rotated_digits``, with 50 by 18 (medians
    7.9 and 10.2; eight averages a student, ``asha``, two workers of the virtual clock).

    The densities are on a grid (``search/samplers/densities.py``): an ask costs the same after ten
    thousand candidates as after a hundred. ``startup`` candidates (complete or pruned) are drawn at
    random before it begins; as evenly as ``qmc`` draws them was no better (the same searches: 2.2 device-seconds to 90 %
    of that front, and 2.5 evenly). ``pruned`` says what is made of those that a rung stopped.
    """

    startup: Annotated[int, Field(ge=1)] = 10
    pruned: Pruned = Bad()
    draws: Annotated[int, Field(ge=1)] = 24
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    most: Annotated[int, Field(ge=1)] = 20
    kind: Literal["tpe"] = "tpe"

    def proposer(self, scope: Scope) -> Parzen:
        return Parzen(self, scope)


@dataclass(frozen=True, slots=True)
class Good:
    """The good candidates: their ``density``, and it summed up along each row.

    To the sums of knob k k is added. So many ``had`` each option of each choice [choices, options].
    """

    had: Rows
    density: Rows
    summed: Rows


class Parzen:
    """``Tpe`` at work."""

    def __init__(self, spec: Tpe, scope: Scope) -> None:
        self._spec, self._scope = spec, scope
        self._grid = Grid(scope.knobs)
        self._ground = Ground(self._grid)
        self._cells: dict[int, Cells] = {}
        self._ended: dict[int, Told] = {}
        self._whole = Whole(scope.objectives)
        self._good: Good | None = None
        self._randomness = Keyed(scope.seed)

    def begin(self, ask: Ask) -> Pick:
        found: list[Callable[[str], float]] = []

        def pick(name: str, domain: Domain) -> Any:
            if not found:  # only once it is certain that not all knobs are held
                found.append(self._way(ask.candidate))
            return domain.at(found[0](name))

        return pick

    def asked(self, ask: Ask, knobs: Knobs) -> dict[str, Any]:
        self.replay(ask.candidate, knobs, {})
        return {}

    def replay(self, candidate: int, knobs: Knobs, attrs: Mapping[str, Any]) -> None:
        del attrs
        self._cells[candidate] = cells = self._grid.of(knobs)
        self._ground.add(cells)

    def tell(self, told: Told) -> None:
        if told.state == "failed":
            return
        self._good = None
        if told.state == "complete" or self._spec.pruned.heeds:
            self._ended[told.candidate] = told
            self._whole.take(told)
        else:
            self._ground.remove(self._cells.pop(told.candidate))

    def revise(self, told: Told) -> None:
        self._good = None
        at_rungs = self._ended[told.candidate].at_rungs
        self._ended[told.candidate] = replace(told, at_rungs=at_rungs)
        self._whole = Whole(self._scope.objectives)
        for known in self._ended.values():
            self._whole.take(known)

    def _way(self, candidate: int) -> Callable[[str], float]:
        """How far along its way a knob is proposed, by its name."""
        rng, at = self._randomness.of(candidate), self._grid.at
        within = rng.random(len(at)).tolist()
        if len(self._ended) < self._spec.startup:
            return lambda name: within[at[name]]
        if self._good is None:
            self._good = self._look()  # once for all asks between two tells
        good, drawn = self._good, rng.random((len(at), self._spec.draws))
        options = dict(zip(self._grid.places, self._chosen(good, rng), strict=True))

        def way(name: str) -> float:
            knob = at[name]
            if knob in options:
                return self._grid.way(knob, options[knob], 0.5)
            return self._grid.way(knob, self._best(good, knob, drawn[knob]), within[knob])

        return way

    def _best(self, good: Good, knob: int, drawn: Row) -> int:
        """Of draws of a knob that is no choice from the good the one that is the densest among all. ``drawn`` in [0, 1). [draws]."""
        cells = good.summed[knob].searchsorted(drawn + knob, side="right")
        better = good.density[knob] / (self._ground.row(knob) + self._grid.prior[knob, 0])
        return int(cells[better.take(cells).argmax()])

    def _chosen(self, good: Good, rng: np.random.Generator) -> list[int]:
        """An option for each choice. Before anything is known a ``share`` is believed to be good."""
        if not self._grid.places:
            return []
        misses = np.maximum(self._ground.had() - good.had, 0)
        share = rng.beta(1 + good.had, 1 / self._spec.share - 1 + misses)
        return np.where(self._grid.drawable, share, -1).argmax(axis=1).tolist()

    def _look(self) -> Good:
        room = min(self._spec.most, int(np.ceil(self._spec.share * len(self._ended))))
        near = spread(self._grid, [self._cells[number] for number in self._best_of(room)])
        density = near + self._grid.prior
        density /= density.sum(axis=1, keepdims=True)
        summed: Rows = density.cumsum(axis=1) + np.arange(len(self._grid))[:, None]
        summed[:, -1] = np.inf  # it is 1 but for rounding, and no draw lies behind it
        return Good(near[self._grid.options], density, summed)

    def _best_of(self, room: int) -> list[int]:
        """The good candidates, at most ``room``."""
        if self._spec.pruned.alone and self._whole.kept > room:
            return self._whole.best(room)
        ended = [self._ended[number] for number in sorted(self._ended)]
        best: list[int] = []
        for tier in self._spec.pruned.tiers(ended, self._scope.objectives):
            if left := room - len(best):
                rows = best_of(tier.costs, tier.excess, left)
                best += [tier.candidates[row] for row in rows]
        return best


class Whole:
    """Complete candidates that kept their limits, in layers: the best of many without ranking all."""

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._layers = Layers(len(objectives.names))
        self.kept = 0
        """How many there are."""

    def take(self, told: Told) -> None:
        """Takes one in, if it is complete and kept its limits."""
        if told.values is not None and told.excess == 0:
            self._layers.add(self._objectives.costs(told.values), [told.candidate])
            self.kept += 1

    def best(self, room: int) -> list[int]:
        """Those of ``best_of``, room < kept, in ascending order."""
        cut = self._layers.cut(room, shared=False)
        before = [number for rank in range(cut.rank) for number in self._layers.owners_at(rank)]
        pairs = zip(*self._layers.rows(cut.rank), strict=True)
        tied = sorted((number, row.tolist()) for row, numbers in pairs for number in numbers)
        rows = _most_apart(np.array([row for _, row in tied]), room - len(before))
        return sorted([*before, *(tied[row][0] for row in rows.tolist())])


def best_of(costs: Costs, excess: Costs, room: int) -> list[int]:
    """The best ``room`` rows of ``costs`` [n, objectives], all if there are no more, in their order.

    First those that kept their limits: with no ``excess`` [n]. Then those of the least.
    """
    kept = np.flatnonzero(excess == 0)
    if len(kept) > room:
        return sorted(kept[_front_first(costs[kept], room)].tolist())
    order: list[int] = np.argsort(excess, kind="stable")[:room].tolist()
    return sorted(order)


def _front_first(costs: Costs, room: int) -> NDArray[np.bool_]:
    """``room`` < n rows of ``costs``, by rank; of the last rank those that add most to its hypervolume.

    Of equals the first. Its reference lies as far beyond the worst as that is from the best, so that
    the ends of the front are worth much. Bool [n].
    """
    rank = fronts.ranks(costs)
    last = np.partition(rank, room - 1)[room - 1]
    chosen, tied = rank < last, np.flatnonzero(rank == last)
    chosen[tied[_most_apart(costs[tied], room - int(chosen.sum()))]] = True
    return chosen


def _most_apart(front: Costs, room: int) -> NDArray[np.intp]:
    """The ``room`` rows of a ``front`` that add most to its hypervolume."""
    shares = fronts.contributions(front, front.max(axis=0) + np.ptp(front, axis=0))
    return np.argsort(-shares, kind="stable")[:room]
