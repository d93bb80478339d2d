"""Who goes on from a rung, by the definitions, slowly."""

from __future__ import annotations

import math

from tests.oracles import fronts


def places(rows, reference):
    """Each coordinate replaced by how many results are strictly better there."""
    count = [lambda x, d=d: sum(row[d] < x for row in rows) for d in range(len(reference))]
    return (
        [[f(x) for f, x in zip(count, row, strict=True)] for row in rows],
        [f(x) for f, x in zip(count, reference, strict=True)],
    )


def shares(rows, reference, front):
    """Exclusive hypervolume in places of each index in ``front``; equal rows are counted once."""
    where, corner = places(rows, reference)
    members = sorted({tuple(where[i]) for i in front})
    worth = dict(zip(members, fronts.contributions(members, corner), strict=True))
    return {i: worth[tuple(where[i])] for i in front}


def goes_on(seen, newcomers, *, factor, reference):
    """``seen`` and ``newcomers`` map ids to costs; returns the newcomers that go on."""
    finite = {i: c for i, c in (seen | newcomers).items() if all(map(math.isfinite, c))}
    ids, rows = list(finite), list(finite.values())
    if len(ids) < factor:
        return set(newcomers) & set(ids)
    ranks, merit = fronts.ranks(rows), {}
    for rank in set(ranks):
        front = [i for i in range(len(ids)) if ranks[i] == rank]
        worth = shares(rows, reference, front)
        merit |= {ids[i]: (-rank, worth[i]) for i in front}
    room = math.ceil(len(ids) / factor)
    better = {i: sum(other > merit[i] for other in merit.values()) for i in ids}
    return {i for i in ids if better[i] < room} & set(newcomers)
