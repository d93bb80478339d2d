"""What a sampler makes of pruned candidates: the record that says who may be good beside the complete."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from spaces.families import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.samplers.base import Told
    from spaces.fronts import Costs
    from spaces.objectives import Objectives


@dataclass(frozen=True, slots=True)
class Tier:
    """Candidates that are compared with each other: ``costs`` [n, objectives], ``excess`` [n].

    ``candidates`` are their numbers.
    """

    candidates: tuple[int, ...]
    costs: Costs
    excess: Costs


class Pruned(Family):
    """Who may be a good candidate, of those that a sampler was told are complete or pruned.

    Where a study has constraints or preferences, whoever was pruned is behind all that keep them: of
    half a stream nobody knows whether it would have (``Goals.beyond_limits``).

    Compared on the table of ``rotated_digits`` (TPE with eight averages a student, ``asha`` with one
    in 3 and one in 2 that go on, seeds with and without their luck; geometric means over 54 to 57
    pairs of searches of one seed, 40 s where one never came there), no kind is to be told from
    ``bad``: of device-seconds to 90 % of the true front's hypervolume ``rungs`` takes 4 % fewer
    (standard error 3 %), ``forecast`` 4 % (7 %) and ``ignored`` 3 % (7 %). So the simplest is the
    default. When TPE learned from at most 50 good ones and began at random (commit ee0d196), to
    ignore the pruned cost 15 % more (5 %, 120 pairs); the other two were within 3 % (350 pairs).

        python benchmarks/compare.py --only "tpe x12, asha*, pruned *" --most 40 --seeds 16

    (with the twelve averages and three students at a time that the default study has by now), and
    the same with ``--world rotated_digits+luck --seeds 11``.

    Laws (``tests/contracts/test_pruned.py``): nobody is in two tiers; the complete are in the first;
    without pruned candidates all kinds are alike; a study that is resumed proposes what it would
    have.
    """

    __slots__ = ()
    heeds: ClassVar[bool] = True
    """Whether one that was pruned counts at all, be it as a bad one."""
    alone: ClassVar[bool] = False
    """Whether the complete are the only tier, so that nobody need look at the others."""

    def tiers(self, ended: Sequence[Told], objectives: Objectives) -> list[Tier]:
        """Tiers of those that may be good, best first, of ``ended``, which ascend by number.

        Whoever is in none is bad.
        """
        raise NotImplementedError


def complete(ended: Sequence[Told], objectives: Objectives) -> Tier:
    """Those that are complete, by what they are worth."""
    return tier([(t, t.values) for t in ended if t.values is not None], objectives)


def tier(found: Sequence[tuple[Told, Sequence[float]]], objectives: Objectives) -> Tier:
    """Those ``found``, each with its objectives or what stands for them."""
    values = np.fromiter(chain.from_iterable(row for _, row in found), np.float64)
    return Tier(
        tuple([t.candidate for t, _ in found]),
        objectives.costs(values.reshape(len(found), len(objectives.names))),
        np.array([t.excess if t.limits else 0.0 for t, _ in found]),
    )
