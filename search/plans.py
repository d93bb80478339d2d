"""Plans: candidates folded into as few processes as their differences allow.

jobs x members x averages. Candidates whose recipes have equal skeletons share a job; equal recipes,
a member; averagers that nobody listens to are only followed. No knob declares which it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from trainables.tables import skeleton

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from trainables.averagers import Averager
    from trainables.recipes import Recipe

Crew: TypeAlias = "tuple[tuple[int, ...], ...]"
"""A job's members, each the numbers of the candidates that are averages of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing to be measured: a student trained by ``recipe``, deployed as ``averager`` of it."""

    number: int
    recipe: Recipe
    averager: Averager


def fold(candidates: Sequence[Candidate], *, most_members: int) -> list[Crew]:
    """Crews that between them seat every candidate once, none with more than ``most_members``."""
    programs: dict[Hashable, dict[Recipe, list[int]]] = defaultdict(dict)
    for candidate in candidates:
        members = programs[skeleton(candidate.recipe)]
        members.setdefault(candidate.recipe, []).append(candidate.number)
    return [crew for members in programs.values() for crew in _cut(members, most_members)]


def _cut(members: dict[Recipe, list[int]], most: int) -> list[Crew]:
    """Crews of nearly equal size: two of 5 rather than one of 8 and one of 2."""
    numbers = [tuple(n) for n in members.values()]
    crews = -(-len(numbers) // most)
    edges = [len(numbers) * k // crews for k in range(crews + 1)]
    return [tuple(numbers[a:b]) for a, b in pairwise(edges)]
