"""Forecasts: what a study would find and cost on more workers than one has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.engines.virtual import Fleet
from search.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from search.simulation import Simulation
    from search.studyfile import StudyFile
    from search.worlds import World

QUARTILES = (25, 50, 75)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Of each figure the quartiles over ``seeds`` searches on so many ``workers``."""

    workers: int
    seeds: int
    figures: Mapping[str, tuple[float, float, float]]


def forecast(
    file: StudyFile, world: World, fleets: Sequence[Fleet], seeds: int
) -> Iterator[Forecast]:
    """One for each of ``fleets``, as soon as it is known.

    Search k has the seed of ``file`` plus k, and so has its fleet: candidates, stragglers and deaths.
    """
    for fleet in fleets:
        rows = [
            figures(
                simulate(
                    replace(file, seed=file.seed + k), world, replace(fleet, seed=file.seed + k)
                )
            )
            for k in range(seeds)
        ]
        yield Forecast(
            workers=fleet.workers,
            seeds=seeds,
            figures={name: _quartiles([row[name] for row in rows]) for name in rows[0]},
        )


def figures(found: Simulation) -> dict[str, float]:
    """What one simulated search found and cost. Times in seconds; ``utilisation`` is a share."""
    counts, usage = found.history.counts(), found.usage
    return {
        "hypervolume": found.history.hypervolume(found.file.goals),
        "device_seconds": usage.busy,
        "wall": usage.wall,
        "utilisation": usage.utilisation,
        "candidates": counts["candidates"],
        "complete": counts["complete"],
        "pruned": counts["pruned"],
        "failed": counts["failed"],
        "repeats": counts.get("repeats", 0),
        "deaths": usage.deaths,
        "lost": found.lost,
    }


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = (float(q) for q in np.percentile(values, QUARTILES))
    return low, middle, high
