"""Which way of searching finds the front with the least compute: many seeded searches of one world.

    python benchmarks/compare.py [--world NAME] [--out DIR] [--seeds N] [--only PATTERN] [--quick]

Every sampler, with one and with twelve averages a student and each kind of rungs, and what Ray Tune
and Syne Tune have (``benchmarks/ways.py``), on the same world with the same workers of a virtual
clock (``search/engines/virtual.py``), a process on each core. Told of each, as medians and quartiles
over seeds: device-seconds until 90 and 95 % of the true front's hypervolume, and after --seconds
device-seconds the hypervolume, additive epsilon and IGD+; and of ours the hypervolume that the front has at the end,
as the study saw it and as it is without luck. Starting processes is in nobody's figures.

Each search is a line of DIR/searches.jsonl as soon as it ends, so that what was stopped goes on with
the same command; of the 83 ways those of NSGA and GP take the longest. Writes
benchmarks/results/compare-WORLD.json, and standings.md and standings.png to DIR.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import standings
from benchmarks.arenas import Arena, recorded, synthetic
from benchmarks.measurements import machine
from benchmarks.rivals import SYNE
from benchmarks.ways import Limits, Ours, Row, Theirs, ours, search, theirs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULTS = Path(__file__).parent / "results"
TABLES = Path(__file__).parent / "tables"
"""Nothing is chosen by ``split_digits``, which is for final figures alone."""

SYNTHETIC = "synthetic"
LUCK = "+luck"

_arena: Arena | None = None
"""This process' own."""


def arena_of(world: str) -> Arena:
    """A table's in ``benchmarks/tables``, by name; a table's elsewhere, by path; or the one made up.

    With ``+luck`` behind its name a table's seeds have their luck.
    """
    if world == SYNTHETIC:
        return synthetic()
    name = world.removesuffix(LUCK)
    table = Path(name) if name.endswith(".parquet") else TABLES / f"{name}.parquet"
    return recorded(table, lucky=name != world)


def chosen(only: Sequence[str]) -> dict[str, Ours | Theirs]:
    """Ways by name: those that match a pattern in ``only``, or all that can be run here."""
    known = [*ours(), *theirs()]
    found = {w.name: w for w in known if not only or any(fnmatchcase(w.name, p) for p in only)}
    if SYNE not in os.environ:
        found = {name: way for name, way in found.items() if "Syne" not in name}
    return found


def compare(
    world: str, ways: dict[str, Any], *, seeds: range, limits: Limits, out: Path
) -> list[Row]:
    """All rows, those included that ``out`` had before. Raises ValueError if these are of others."""
    file = out / "searches.jsonl"
    rows = _known(file, {"world": world, "limits": asdict(limits)})
    done = {(row["way"], row["seed"]) for row in rows}
    due = [
        (way.name, seed)
        for place, seed in enumerate(seeds)  # so that whatever is there is of all ways
        for way in ways.values()
        if place < way.seeds and (way.name, seed) not in done
    ]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, spawn, _prepare, (world,)) as pool:
        asked = [pool.submit(_search, name, seed, limits) for name, seed in due]
        for n, future in enumerate(as_completed(asked), start=1):
            row = future.result()
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            rows.append(row)
            print(f"{n}/{len(due)}  {row['way']}, seed {row['seed']}", flush=True)
    return rows


def _known(file: Path, header: dict[str, Any]) -> list[Row]:
    """The whole lines of ``file``, which is begun if there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(header) + "\n")
    text = file.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:  # killed while it wrote
        file.write_text(whole)
    first, *rest = map(json.loads, whole.splitlines())
    if first != header:
        raise ValueError(f"{file} is of {first}, not of {header}: give another --out")
    return rest


def _prepare(world: str) -> None:
    global _arena  # noqa: PLW0603 - what a process of the pool is made for
    _arena = arena_of(world)


def _search(name: str, seed: int, limits: Limits) -> Row:
    assert _arena is not None
    return search(chosen([name])[name], _arena, seed, limits)


def main(words: Iterable[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(None if words is None else list(words))
    os.environ |= {"OMP_NUM_THREADS": "1"}  # for the processes to come
    limits = Limits(
        workers=options.workers,
        least=options.seconds,
        most=options.most,
        candidates=options.candidates,
    )
    ways = chosen(options.only)
    if SYNE not in os.environ:
        print(f"without Syne Tune: {SYNE} is not set (benchmarks/syne_moasha.py says how)")
    seeds = range(options.first, options.first + options.seeds)
    rows = compare(options.world, ways, seeds=seeds, limits=limits, out=options.out)
    arena = arena_of(options.world)
    summary = standings.summary(rows)
    options.results.mkdir(parents=True, exist_ok=True)
    told = {"world": arena.name, "limits": asdict(limits), "machine": machine(), "ways": summary}
    (options.results / f"compare-{arena.name}.json").write_text(json.dumps(told, indent=1) + "\n")
    (options.out / "standings.md").write_text(standings.table(summary, limits))
    standings.figure(rows, summary, arena, limits, options.out / "standings.png")
    print(standings.table(summary, limits))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n  ".join(["ways, for --only:", *(way.name for way in [*ours(), *theirs()])]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--world",
        default="rotated_digits",
        metavar="NAME",
        help=f"a table in benchmarks/tables, a table's path, or {SYNTHETIC}; with {LUCK} behind a table's "
        "name searches see the luck of their seed, and are judged without (default: %(default)s)",
    )
    add("--out", type=Path, default=Path("runs/compare"), help="(default: runs/compare)")
    add("--results", type=Path, default=RESULTS, help="(default: benchmarks/results)")
    add(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="ways of such a name, as 'tpe x12, *'; may be repeated",
    )
    add("--seeds", type=int, default=30, help="searches of each way (default: 30)")
    add("--first", type=int, default=0, help="the first of their seeds (default: 0)")
    add("--workers", type=int, default=2, help="of the virtual clock (default: 2)")
    add(
        "--seconds",
        type=float,
        default=6.0,
        help="device-seconds of every search, at least (default: 6)",
    )
    add(
        "--most",
        type=float,
        default=60.0,
        help="device-seconds after which 95 %% is given up (default: 60)",
    )
    add("--candidates", type=int, default=2048, help="or after so many (default: 2048)")
    add("--quick", action="store_const", const=3, dest="seeds", help="3 seeds")
    return parser


if __name__ == "__main__":
    main()
