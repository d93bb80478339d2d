"""What priors are worth, right ones and wrong ones: device-seconds to 90 % of the true front's hypervolume.

    python benchmarks/priors.py [--seeds N] [--first N] [--out FILE]

Searches of the default study in the world that was fitted to the table ``rotated_digits``, without the
luck of seeds, by the default sampler with eight averages a student and ASHA, two workers on a virtual
clock. Each range of the space gets a prior: none; the *right* one, the median along its way over the
candidates of the true front; or the *wrong* one, that end of the range which
is farther from the right one. Takes a few minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.arenas import recorded
from benchmarks.measurements import machine
from benchmarks.tables.front import front
from benchmarks.ways import AVERAGES, STUDENTS, Limits, Ours, search
from search import tabular
from search.tables import read as read_table
from spaces.domains import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.arenas import Arena

HERE = Path(__file__).parent
WORLD = HERE / "tables" / "rotated_digits.parquet"
SHARE = 0.90
BOOTSTRAPS = 4000
LIMITS = Limits(workers=2, least=0.0, most=120.0, near=SHARE)
SEARCH = (
    "sampler={kind: tpe}",
    f"fold={{members: {STUDENTS}, averages: {max(AVERAGES)}}}",
    "rungs={kind: asha}",
)


def right(arena: Arena) -> dict[str, float]:
    """How far along its way each range is in the median, on the true front."""
    _, best = front(read_table(WORLD), tabular.load(WORLD).ensemble)
    ways: dict[str, float] = {}
    for name, domain in arena.file.space.knobs().items():
        seen = [domain.way(knobs[name]) for knobs in best if name in knobs]
        if isinstance(domain, Range) and seen:
            ways[name] = float(np.median(seen))
    return ways


def wrong(ways: Mapping[str, float]) -> dict[str, float]:
    """The farther ends."""
    return {name: 0.0 if way >= 0.5 else 1.0 for name, way in ways.items()}


def overrides(arena: Arena, ways: Mapping[str, float]) -> tuple[str, ...]:
    """Priors as a user would set them."""
    said = []
    for name, way in ways.items():
        domain = arena.file.space.knobs()[name]
        assert isinstance(domain, Range)
        root, _, rest = name.partition(".")
        path = f"averagers.{rest}" if root == "averager" else name
        said.append(f"{path}={replace(domain, prior=domain.at(way))}")
    return tuple(said)


def main(words: Iterable[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(None if words is None else list(words))
    os.environ |= {"OMP_NUM_THREADS": "1"}
    arena = recorded(WORLD, lucky=False)
    good = right(arena)
    priors = {"none": {}, "right": good, "wrong": wrong(good)}
    found: dict[str, list[float]] = {name: [] for name in priors}
    for seed in range(options.first, options.first + options.seeds):
        for name, ways in priors.items():
            way = Ours(name=name, overrides=(*SEARCH, *overrides(arena, ways)))
            reached = search(way, arena, seed, LIMITS)["to_90"]
            found[name].append(LIMITS.most if reached is None else reached)
        print(seed, {name: round(seconds[-1], 2) for name, seconds in found.items()}, flush=True)
    told = {name: _summary(seconds, found["none"]) for name, seconds in found.items()}
    options.out.write_text(
        json.dumps(
            {
                "world": arena.name,
                "first_seed": options.first,
                "machine": machine(),
                "priors": told,
            },
            indent=1,
        )
        + "\n"
    )
    print(json.dumps(told, indent=1))


def _summary(seconds: list[float], without: list[float]) -> dict[str, Any]:
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    return {
        "seconds_to_90": {
            "median": median,
            "quartiles": [low, high],
            "mean": float(np.mean(seconds)),
        },
        "times_without": {
            "medians": _times(seconds, without, np.median),
            "means": _times(seconds, without, np.mean),
        },
        "seconds": seconds,
    }


def _times(seconds: list[float], without: list[float], of: Callable[..., Any]) -> dict[str, Any]:
    """How many times as long as ``without``, and 90 % of what bootstraps say instead.

    Searches are not compared seed by seed: another proposal makes another search of it.
    """
    rng = np.random.default_rng(0)
    above, below = (
        of(rng.choice(found, (BOOTSTRAPS, len(found))), axis=1) for found in (seconds, without)
    )
    low, high = np.quantile(above / below, (0.05, 0.95))
    return {"times": float(of(seconds) / of(without)), "90 %": [float(low), float(high)]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=240, help="searches with each (default: 240)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "priors.json")
    return parser


if __name__ == "__main__":
    main()
