"""Repeats: who is promising is trained again with further seeds, before the front is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from search.events import Asked
from spaces.fronts import non_dominated
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from search.goals import Goals
    from search.history import History
    from spaces.fronts import Costs


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeats(Spec):
    """Promising candidates are trained with up to ``seeds`` seeds in all, one seed at a time.

    A front of single trainings is partly luck: the more candidates, the luckier the best of them
    (the winner's curse). So the front is that of the means over a candidate's seeds, and a
    candidate is promising while it is on it, or would be if its means were better by ``margin``
    times their standard errors, pooled over all that were repeated (0 until some were). Whoever is
    no longer promising is not repeated further, as in a race (Birattari et al., "A racing
    algorithm for configuring metaheuristics", GECCO 2002; the rule is ours).

    Where a tenth of a figure is luck, the front of 256 random candidates is told to be better than it
    is by 0.081 of radius with one seed, 0.050 with 2, 0.037 with 3 and 0.023 with 5, for 1.4, 1.9 and
    3.4 times the seconds; a margin of 1 changes nothing of that, and chooses a little better
    candidates (ten searches, simulated as in ``tests/search/test_repeats.py``).

    A repeat is a candidate of its own with the same knobs, and its recipe's seed 1, 2, ... higher.
    It is not of the budget's ``candidates``, no rung judges it, and it is on no front itself. One
    whose seed fails takes its candidate off the front.
    """

    seeds: Annotated[int, Field(ge=2, le=1000)] = 3
    margin: Annotated[float, Field(ge=0)] = 0.0


def due(history: History, goals: Goals, repeats: Repeats) -> list[int]:
    """The candidates that are promising and have seeds left, but none that still runs."""
    return [
        c
        for c in promising(history, goals, repeats.margin)
        if len(history.trainings(c)) < repeats.seeds
        and all(t in history.outcomes for t in history.trainings(c))
    ]


def asked(history: History, candidates: Iterable[int]) -> list[Asked]:
    """One more training of each of ``candidates``, numbered from the next free number on."""
    first = len(history.candidates)
    return [_again(history, c, number) for number, c in enumerate(candidates, start=first)]


def promising(history: History, goals: Goals, margin: float) -> list[int]:
    """Feasible candidates within ``margin`` standard errors of the front of means, by number."""
    known, objectives = sorted(history.feasible(goals)), goals.objectives
    costs = objectives.costs(history.values(known, objectives.names))
    front = costs[non_dominated(costs)]
    deviations = deviations_of(history, objectives.names)
    counts = np.array([[1 + len(history.repeats.get(c, ()))] for c in known]).reshape(-1, 1)
    hoped = costs - margin * deviations / np.sqrt(counts)
    return [c for c, on in zip(known, _on(hoped, front).tolist(), strict=True) if on]


def deviations_of(history: History, names: Sequence[str]) -> Costs:
    """The standard deviation of one training, pooled over those that were repeated: [names].

    0 while none was.
    """
    squares, freedom = np.zeros(len(names)), 0
    for c in history.repeats:
        values = history.all_values(c, names)
        if len(values) > 1 and np.isfinite(values).all():
            squares += ((values - values.mean(axis=0)) ** 2).sum(axis=0)
            freedom += len(values) - 1
    found: Costs = np.sqrt(squares / max(freedom, 1))
    return found


def _on(rows: Costs, front: Costs) -> NDArray[np.bool_]:
    """Which of ``rows`` [n, objectives] no row of ``front`` dominates. Bool [n]."""
    among = rows[:, None]
    no_worse: NDArray[np.bool_] = np.all(front <= among, axis=2)
    better: NDArray[np.bool_] = np.any(front < among, axis=2)
    return np.asarray(~np.any(no_worse & better, axis=1))


def _again(history: History, candidate: int, number: int) -> Asked:
    first = history.candidates[candidate]
    return Asked(
        candidate=number,
        knobs=first.knobs,
        config=first.config | {"recipe": _reseeded(first.config["recipe"], history, candidate)},
        repeats=candidate,
    )


def _reseeded(recipe: Mapping[str, Any], history: History, candidate: int) -> dict[str, Any]:
    further = len(history.trainings(candidate))
    return {**recipe, "seed": (recipe.get("seed", 0) + further) % 2**63}
