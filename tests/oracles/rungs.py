"""Who goes on from a rung, by the definitions, slowly."""

from __future__ import annotations

import math

import numpy as np

from spaces import fronts as fast
from tests.oracles import fronts


def places(rows, reference):
    """Each coordinate replaced by how many results are strictly better there."""
    count = [lambda x, d=d: sum(row[d] < x for row in rows) for d in range(len(reference))]
    return (
        [[f(x) for f, x in zip(count, row, strict=True)] for row in rows],
        [f(x) for f, x in zip(count, reference, strict=True)],
    )


def contribution(members, corner):
    """Exclusive hypervolume of each of ``members``."""
    return fronts.contributions(members, corner)


def epsilon_net(members, corner):
    """Minus how many come before each, farthest first; those equally far come together."""
    del corner
    best = [min(m[d] for m in members) for d in range(len(members[0]))]
    round_ = [m for m in members if any(x == b for x, b in zip(m, best, strict=True))]
    net, merit = [], {}
    while round_:
        merit |= {m: -len(net) for m in round_}
        net += round_
        away = {
            m: min(sum((x - y) ** 2 for x, y in zip(m, n, strict=True)) for n in net)
            for m in members
            if m not in net
        }
        round_ = [m for m, d in away.items() if d == max(away.values())]
    return [merit[m] for m in members]


def goes_on(  # noqa: PLR0913 - one for each thing that the definition names
    seen,
    newcomers,
    *,
    factor,
    reference,
    grace=None,
    worth=contribution,
    behind=None,
    students=None,
):
    """``seen`` and ``newcomers`` map ids to costs; returns the newcomers that go on.

    ``behind`` maps ids to how far they are; those that it does not name are not. ``students`` maps
    ids to their students; without it each is its own.
    """
    behind = behind or {}
    students = students or {i: i for i in seen | newcomers}
    finite = {i: c for i, c in (seen | newcomers).items() if all(map(math.isfinite, c))}
    ids, rows = list(finite), list(finite.values())
    if len({students[i] for i in ids}) < (factor if grace is None else grace):
        return set(newcomers) & set(ids)
    merit = {i: (-behind[i],) for i in ids if behind.get(i, 0)}
    level = [i for i in ids if i not in merit]
    rows = [finite[i] for i in level]
    ranks = fronts.ranks(rows)
    where, corner = places(rows, reference)
    for rank in set(ranks):
        front = [i for i in range(len(level)) if ranks[i] == rank]
        members = sorted({tuple(where[i]) for i in front})
        worths = dict(zip(members, worth(members, corner), strict=True))
        merit |= {level[i]: (0, -rank, worths[tuple(where[i])]) for i in front}
    best = {s: max(merit[i] for i in ids if students[i] == s) for s in {students[i] for i in ids}}
    room = math.ceil(len(best) / factor)
    better = {s: sum(other > best[s] for other in best.values()) for s in best}
    return {i for i in ids if better[students[i]] < room} & set(newcomers)


def among_best(costs, room, reference):
    """As ``goes_on`` with contributions, ranking all rows [n, objectives] anew: bool [n]."""
    rank = fast.ranks(costs)
    last = np.partition(rank, room - 1)[room - 1]
    chosen, tied = rank < last, np.flatnonzero(rank == last)
    rows = zip(np.sort(costs, axis=0).T, np.vstack([costs[tied], reference]).T, strict=True)
    placed = np.stack([np.searchsorted(column, values) for column, values in rows], axis=1)
    members, which = np.unique(placed[:-1].astype(float), axis=0, return_inverse=True)
    shares = fast.contributions(members, placed[-1].astype(float))[which]
    left = room - int(chosen.sum())
    chosen[tied] = shares >= np.partition(shares, -left)[-left]
    return chosen
