"""Plans: candidates folded into as few processes as their differences allow.

jobs x members x averages. Candidates whose recipes have equal skeletons share a job; equal recipes,
a member; averagers that nobody listens to are only followed. No knob declares which it is. How many
members a job takes is limited by count and by what fits.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, TypeAlias

from trainables.tables import skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from trainables.averagers import Averager
    from trainables.recipes import Recipe

Crew: TypeAlias = "tuple[tuple[int, ...], ...]"
"""A job's members, each the numbers of the candidates that are averages of it."""

Fits: TypeAlias = "Callable[[Recipe, int, int], bool]"
"""Whether a job has room for so many members like a recipe, each with so many rows of averages."""

Rows: TypeAlias = "Callable[[Averager], int]"
"""How many rows an averager takes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing to be measured: a student trained by ``recipe``, deployed as ``averager`` of it."""

    number: int
    recipe: Recipe
    averager: Averager


def anything_fits(recipe: Recipe, members: int, averages: int) -> bool:
    """Sets no limit."""
    del recipe, members, averages
    return True


def one_each(averager: Averager) -> int:
    """What an averager takes that is a single table."""
    del averager
    return 1


def fold(
    candidates: Sequence[Candidate],
    *,
    most_members: int,
    fits: Fits = anything_fits,
    rows: Rows = one_each,
) -> list[Crew]:
    """Crews that between them seat every candidate once, none with more than ``most_members``.

    Nor with more than fit; where not even one member does, with one.
    """
    students: dict[Recipe, list[Candidate]] = defaultdict(list)
    for _, together in groupby(candidates, key=lambda c: id(c.recipe)):  # to compare takes longer
        averages = list(together)
        students[averages[0].recipe] += averages
    programs: dict[Hashable, dict[Recipe, list[Candidate]]] = defaultdict(dict)
    for recipe, averages in students.items():
        programs[skeleton(recipe)][recipe] = averages
    crews: list[Crew] = []
    for members in programs.values():
        height = max(sum(rows(c.averager) for c in member) for member in members.values())
        recipe, most = next(iter(members)), min(most_members, len(members))
        crews += _cut(list(members.values()), most_that_fit(recipe, height, most, fits))
    return crews


def most_that_fit(recipe: Recipe, averages: int, most: int, fits: Fits) -> int:
    """How many members like ``recipe`` share a job: of 1 to ``most``, the most that fit, or 1."""
    # Of 2, 3, ... members the first few fit, and then no more do.
    return 1 + bisect(
        range(2, most + 1), 0, key=lambda members: not fits(recipe, members, averages)
    )


def _cut(members: list[list[Candidate]], room: int) -> list[Crew]:
    """Crews of nearly equal size: two of 5 rather than one of 8 and one of 2."""
    numbers = [tuple(candidate.number for candidate in member) for member in members]
    crews = -(-len(numbers) // room)
    edges = [len(numbers) * k // crews for k in range(crews + 1)]
    return [tuple(numbers[a:b]) for a, b in pairwise(edges)]
