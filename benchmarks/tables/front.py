"""The true front of a tabular world: the best trade-offs that it has, as far as anybody knows.

Points of a scrambled Sobol sequence over the whole space and the table's own candidates, by what the surrogate
says of them without luck; then, round after round, those on the front are moved a little, each
knob along its way by a normal step, and what is better takes their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch.quasirandom import SobolEngine

from benchmarks.tables.surrogates import values
from search.surrogates import Encoding
from spaces.fronts import non_dominated
from spaces.space import knob_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.studyfile import StudyFile
    from search.surrogates import Ensemble
    from search.tables import Table
    from search.worlds import Knobs
    from spaces.problems import Path
    from spaces.space import Domain

Floats: TypeAlias = "NDArray[np.float64]"

POINTS = 2**16
ROUNDS = 30
CHILDREN = 16
DIGITS = 3
"""A front in so many variables has no end: of it is kept one point for each tenth of a point of accuracy."""
STEPS = (0.1, 0.02)
"""The steps' standard deviations, as shares of the way, in the first and in the last round."""
BLOCK = 2**13


def front(table: Table, ensemble: Ensemble) -> tuple[Floats, list[Knobs]]:
    """Values [n, objectives] of the front and knobs that have them."""
    file, rng = table.file, np.random.default_rng(0)
    best = _best(file, ensemble, [*table.knobs, *_spread(file, POINTS)])
    for step in np.geomspace(*STEPS, ROUNDS):
        moved = [_moved(file, knobs, step, rng) for knobs in best[1] for _ in range(CHILDREN)]
        best = _best(file, ensemble, [*best[1], *moved])
    return best


def _best(
    file: StudyFile, ensemble: Ensemble, candidates: Sequence[Knobs]
) -> tuple[Floats, list[Knobs]]:
    encode = Encoding(file.space.knobs())
    blocks = [candidates[a : a + BLOCK] for a in range(0, len(candidates), BLOCK)]
    found = np.concatenate([values(file, ensemble(encode(block))) for block in blocks])
    on = np.flatnonzero(non_dominated(file.objectives.costs(found)))
    _, first = np.unique(found[on].round(DIGITS), axis=0, return_index=True)
    return found[on[first]], [candidates[i] for i in on[first]]


def _spread(file: StudyFile, count: int) -> list[Knobs]:
    knobs = list(file.space.knobs())
    engine = SobolEngine(len(knobs), scramble=True, seed=0)
    points = engine.draw(count, dtype=torch.float64).tolist()
    return [_at(file, dict(zip(knobs, point, strict=True))) for point in points]


def _moved(file: StudyFile, knobs: Knobs, step: float, rng: np.random.Generator) -> Knobs:
    """The same options, and every other knob a step away."""
    domains = file.space.knobs()
    ways = {name: domains[name].way(value) for name, value in knobs.items()}
    moved = {
        name: way if _is_choice(domains[name]) else float(np.clip(way + step * rng.normal(), 0, 1))
        for name, way in ways.items()
    }
    return _at(file, moved)


def _is_choice(domain: Domain) -> bool:
    return hasattr(domain, "options")


def _at(file: StudyFile, ways: Mapping[str, float]) -> Knobs:
    """The knobs in play so far along their ways."""
    knobs: dict[str, Any] = {}

    def pick(path: Path, domain: Domain) -> Any:
        name = knob_name(path)
        knobs[name] = domain.at(ways[name])
        return knobs[name]

    file.space.draw(pick)
    return knobs
