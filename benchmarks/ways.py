"""Ways of searching that are compared: samplers x averages a student x rungs, and what others have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from benchmarks.arenas import Enough
from benchmarks.rivals import Race, RayAsha, RayOptuna, SyneMoasha
from search.engines.virtual import Fleet
from search.simulation import simulate
from search.traces import Trace
from spaces.fronts import additive_epsilon, hypervolume, igd_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.arenas import Arena
    from benchmarks.rivals import Rival
    from search.goals import Goals
    from search.history import History
    from spaces.fronts import Costs

Row: TypeAlias = dict[str, Any]

STUDENTS = 3
"""Students asked for at a time, in every way of ours that does not say otherwise."""
OTHERS = (2, 4, 8)
"""How many else; with the default sampler and rungs only."""

SLOW = {"gp": (128, 30), "nsga2": (1536, 1_000_000), "nsga3": (1536, 1_000_000)}
"""Samplers that think for long, NSGA the longer the more candidates there are: with how many of them a
search ends, and how many seeds there are at most."""

SAMPLERS = ("random", "qmc", "nsga2", "nsga3", "tpe", "gp")
AVERAGES = (1, 12)
RUNGS = {
    "no rungs": "null",
    "asha": "{kind: asha}",
    "asha by epsilon-net": "{kind: asha, within: {kind: epsilon_net}}",
    "halving": "{kind: halving}",
    "hyperband": "{kind: hyperband}",
}
"""With their defaults: after 2 tasks, and then 6, 18, ..., one in 3 goes on."""

FURTHER = {
    f"asha {factor}/{first}": f"{{kind: asha, factor: {factor}, first_task: {first}}}"
    for factor, first in ((2, 2), (4, 2), (3, 3))
}
"""Reduction factor and tasks before the first rung; of the default sampler only."""


MORE = (8, 16)
"""How many averages else a student has, in waves of all sizes; with the default sampler and rungs only."""

PRUNED = ("ignored", "rungs", "forecast")
"""What else ``tpe`` makes of pruned candidates, which are ``bad`` to it by itself."""


REPEATS = (2, 3)
"""Seeds in all of who is promising; with the default sampler, averages and rungs. What they are worth
shows where seeds have luck only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When a search, on so many ``workers``, has been watched for long enough.

    It has spent ``least`` device-seconds and found the share ``near`` of the true front's hypervolume,
    or spent ``most``, or ended so many ``candidates``.
    """

    workers: int = 2
    least: float
    most: float
    near: float = 0.95
    candidates: int = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Ours:
    """A study with these ``overrides``. Searched with at most so many ``seeds`` and ``candidates``."""

    name: str
    overrides: tuple[str, ...]
    seeds: int = 1_000_000
    candidates: int = 1_000_000

    def search(self, arena: Arena, seed: int, limits: Limits, enough: Enough) -> tuple[Trace, Row]:
        most = min(limits.candidates, self.candidates)
        file = arena.study(*self.overrides, seed=seed, candidates=most)
        found = simulate(file, arena.world, Fleet(workers=limits.workers, seed=seed), enough.study)
        told = {"ended": len(found.history.outcomes), "deciding": found.deciding}
        told |= _choice(found.history, file.goals, arena)
        trace = replace(Trace.of(found.history, file.goals), costs=stacked(enough.costs, arena))
        return trace, told | {"spent": found.usage.busy}


@dataclass(frozen=True, kw_only=True, slots=True)
class Theirs:
    """A rival that ``make`` makes for a seed."""

    name: str
    make: Callable[[Arena, int], Rival]
    seeds: int = 1_000_000

    def search(self, arena: Arena, seed: int, limits: Limits, enough: Enough) -> tuple[Trace, Row]:
        race = Race(
            arena=arena,
            rival=self.make(arena, seed),
            workers=limits.workers,
            trials=limits.candidates,
            seed=seed,
        )
        try:
            trace, seen = race.run(enough)
        finally:
            race.rival.close()
        return trace, {"ended": seen.ended, "spent": seen.spent}


def ours() -> list[Ours]:
    """Every sampler with one and with twelve averages a student and each kind of rungs."""
    crossed = [(s, a, r, RUNGS[r]) for s, a, r in product(SAMPLERS, AVERAGES, RUNGS)]
    crossed += [("tpe", max(AVERAGES), name, text) for name, text in FURTHER.items()]
    sizes = product((STUDENTS, *OTHERS), (*AVERAGES[1:], *MORE))
    shapes = [
        _ours("tpe", averages, "asha", RUNGS["asha"], students=students)
        for students, averages in sizes
        if (students, averages) != (STUDENTS, AVERAGES[1])
    ]
    default = _ours("tpe", max(AVERAGES), "asha", RUNGS["asha"])
    others = {f"pruned {kind}": f"sampler.pruned={{kind: {kind}}}" for kind in PRUNED}
    others |= {f"repeats {seeds}": f"repeats={{seeds: {seeds}}}" for seeds in REPEATS}
    beside = [
        Ours(name=f"{default.name}, {name}", overrides=(*default.overrides, said))
        for name, said in others.items()
    ]
    return [*(_ours(*named) for named in crossed), *shapes, *beside]


def _ours(sampler: str, averages: int, rungs: str, text: str, students: int = STUDENTS) -> Ours:
    overrides = (
        f"sampler={{kind: {sampler}}}",
        f"fold={{members: {students}, averages: {averages}}}",
        f"rungs={text}",
    )
    name = f"{sampler} x{averages}, {rungs}"
    if students != STUDENTS:
        name += f", {students} students at a time"
    if sampler in SLOW:
        most, seeds = SLOW[sampler]
        named = f"{name} ({most} candidates)"
        return Ours(name=named, overrides=overrides, seeds=seeds, candidates=most)
    return Ours(name=name, overrides=overrides)


def theirs() -> list[Theirs]:
    """Ray Tune with Optuna, and Syne Tune; with the factor and grace of our rungs."""

    def asha(arena: Arena, seed: int) -> Rival:
        return RayOptuna(arena, seed, RayAsha(_tasks(arena), factor=3, grace=2))

    def moasha(priority: str) -> Callable[[Arena, int], Rival]:
        return lambda arena, seed: SyneMoasha(arena, seed, priority=priority, factor=3, grace=2)

    return [
        Theirs(name="Ray OptunaSearch, FIFO", make=RayOptuna),
        Theirs(name="Ray OptunaSearch, ASHA on the mean", make=asha),
        Theirs(name="Syne Tune MOASHA", make=moasha("non_dominated")),
        Theirs(name="Syne Tune MOASHA, linear", make=moasha("linear")),
    ]


def _choice(history: History, goals: Goals, arena: Arena) -> Row:
    """The hypervolume that a study says its front has, and the one that it really has, as shares.

    They differ by the luck that the study saw: who is on a front is so partly by luck.
    """
    front = [history.candidates[c].knobs for c in history.front(goals)]
    true = hypervolume(stacked(arena.costs(front), arena), arena.reference)
    return {
        "claimed": history.hypervolume(goals) / arena.hypervolume,
        "chosen": true / arena.hypervolume,
    }


def stacked(costs: Sequence[Costs], arena: Arena) -> Costs:
    """[n, objectives], if n is 0 too."""
    return np.array(costs, dtype=np.float64).reshape(-1, len(arena.reference))


def _tasks(arena: Arena) -> int:
    return len(arena.file.scenario.clock().task_ends)


def search(way: Ours | Theirs, arena: Arena, seed: int, limits: Limits) -> Row:
    """One search, as a line of JSON. Hypervolumes are shares of the true front's."""
    enough = Enough(arena, least=limits.least, most=limits.most, near=limits.near)
    trace, told = way.search(arena, seed, limits, enough)
    curve = trace.hypervolumes(arena.reference) / arena.hypervolume
    front = trace.front(limits.least)
    return {
        "way": way.name,
        "seed": seed,
        **told,
        "to_90": _finite(trace.reaches(curve, 0.90)),
        "to_95": _finite(trace.reaches(curve, 0.95)),
        "candidates_to_90": _ended(trace, curve, 0.90),
        "candidates_to_95": _ended(trace, curve, 0.95),
        "hypervolume": hypervolume(front, arena.reference) / arena.hypervolume,
        "epsilon": _finite(additive_epsilon(front, arena.front)),
        "igd_plus": _finite(igd_plus(front, arena.front)),
        "steps": _steps(trace, curve),
        "front": (front * arena.signs).tolist(),
    }


def _finite(value: float) -> float | None:
    """None for what never was: JSON has no infinity."""
    return value if np.isfinite(value) else None


def _ended(trace: Trace, curve: Costs, level: float) -> int | None:
    """How many candidates had ended when ``curve`` was first at ``level``; None if never."""
    there = np.flatnonzero(curve >= level)
    return int(trace.ended[there[0]]) if len(there) else None


def _steps(trace: Trace, curve: Costs) -> list[list[float]]:
    """Device-seconds, hypervolume and candidates that had ended, where hypervolume grew."""
    grew = np.flatnonzero(np.diff(curve, prepend=0.0) > 0)
    return [
        [round(float(trace.seconds[i]), 4), round(float(curve[i]), 6), int(trace.ended[i])]
        for i in grew
    ]
