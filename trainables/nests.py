"""Nests: loops over the numbers of tensors, by vectors along the axis on which the first of them lies closest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from trainables.assembly import FLOAT, LANES, Body


class Place(NamedTuple):
    """Where a tensor is: the address of its first number, and how far apart numbers lie along each axis.

    ``inner`` are the axes that whoever is at a number goes through by itself, such as those of a sum.
    """

    at: str
    steps: tuple[int, ...]
    inner: tuple[int, ...] = ()
    number: str = FLOAT

    def split(self, outer: Sequence[int], inner: Sequence[int]) -> Place:
        """With some of its axes, and others that whoever is at a number goes through."""
        steps, within = (tuple(self.steps[i] for i in axes) for axes in (outer, inner))
        return self._replace(steps=steps, inner=within)


Leaf: TypeAlias = Callable[[Sequence[Place], int], None]
"""What is done with some numbers of each place, whose only step is then from one to the next."""

Each: TypeAlias = Callable[[Sequence[str], Sequence[str]], Sequence[str]]
"""What becomes of the vectors carried, at addresses of a number in each place."""


def nest(body: Body, sizes: Sequence[int], places: Sequence[Place], leaf: Leaf) -> None:
    """``leaf`` of all numbers of tensors of ``sizes``, of which none is 0."""
    sizes, places = _folded(sizes, places)
    *outer, last = sizes or (1,)

    def walk(left: Sequence[int], there: Sequence[Place]) -> Sequence[str]:
        if left:
            body.loop(left[0], lambda i, _: walk(left[1:], _entered(body, there, i)))
            return ()
        whole, rest = divmod(last, LANES)
        if whole:
            body.loop(whole, lambda j, _: done(_further(body, there, j), LANES))
        if rest:
            done(_further(body, there, whole), rest)
        return ()

    def done(there: Sequence[Place], lanes: int) -> Sequence[str]:
        leaf(there, lanes)
        return ()

    walk(outer, [p if p.steps else p._replace(steps=(1,)) for p in places])


def carry(
    body: Body,
    sizes: Sequence[int],
    places: Sequence[Place],
    each: Each,
    carried: Sequence[str],
) -> Sequence[str]:
    """``each`` of all numbers along the inner axes, of ``sizes``, one after the other."""
    if not sizes:
        return each([p.at for p in places], carried)

    def inside(i: str, held: Sequence[str]) -> Sequence[str]:
        there = [_inward(body, p, i) for p in places]
        return carry(body, sizes[1:], there, each, held)

    return body.loop(sizes[0], inside, carried)


def _entered(body: Body, places: Sequence[Place], i: str) -> list[Place]:
    """Number ``i`` along the first axis."""
    return [p._replace(at=_on(body, p, p.steps[0], i), steps=p.steps[1:]) for p in places]


def _inward(body: Body, place: Place, i: str) -> Place:
    return place._replace(at=_on(body, place, place.inner[0], i), inner=place.inner[1:])


def _further(body: Body, places: Sequence[Place], vectors: str | int) -> list[Place]:
    """So many vectors on along the only axis."""
    return [p._replace(at=_on(body, p, p.steps[0] * LANES, vectors)) for p in places]


def _on(body: Body, place: Place, step: int, times: str | int) -> str:
    if step == 0 or times == 0:
        return place.at
    return body.at(place.at, body.times(times, step), place.number)


def _folded(sizes: Sequence[int], places: Sequence[Place]) -> tuple[tuple[int, ...], list[Place]]:
    """The same numbers along fewer axes, the one on which the first place lies closest last."""
    axes = [i for i, size in enumerate(sizes) if size > 1]
    axes.sort(key=lambda i: -places[0].steps[i])
    merged: list[tuple[int, tuple[int, ...]]] = []
    for i in axes:
        steps = tuple(p.steps[i] for p in places)
        if merged and merged[-1][1] == tuple(step * sizes[i] for step in steps):
            merged[-1] = merged[-1][0] * sizes[i], steps
        else:
            merged.append((sizes[i], steps))
    along = [tuple(steps[j] for _, steps in merged) for j in range(len(places))]
    return tuple(size for size, _ in merged), [
        p._replace(steps=steps) for p, steps in zip(places, along, strict=True)
    ]
