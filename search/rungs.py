"""Rungs: who goes on, as arithmetic. No process is stopped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from spaces import fronts
from spaces.fronts import Costs
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from spaces.objectives import Objectives

Id = TypeVar("Id", bound="Hashable")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rungs(Spec):
    """After ``first_task * factor**k`` tasks (k = 0, 1, ...) about one in ``factor`` goes on.

    The counts are of finished tasks, in integers, and a stream's last task is never a rung: there a
    candidate is complete. Rungs thin out as candidates thin out, so that every rung costs about the
    same (Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020). With the
    defaults a stream of 5 tasks has the rung 2; of 10, the rungs 2 and 6; of 20, 2, 6 and 18.

    ``first_task`` is at least 2: forgetting cannot be seen before the second task.
    """

    factor: Annotated[int, Field(ge=2)] = 3
    first_task: Annotated[int, Field(ge=2)] = 2

    def levels(self, tasks: int) -> tuple[int, ...]:
        """Numbers of finished tasks after which a stream of ``tasks`` is judged. May be empty."""
        return levels(self.first_task, factor=self.factor, below=tasks)


def levels(first: int, *, factor: int, below: int) -> tuple[int, ...]:
    """``first``, ``first * factor``, ``first * factor**2``, ... that are less than ``below``."""
    out = []
    while first < below:
        out.append(first)
        first *= factor
    return tuple(out)


class Asha:
    """Successive halving for several objectives, one newcomer or one batch at a time.

    The state is what each rung has seen, so replaying the same results gives the same state. Who
    goes on is decided on arrival and never revised: nobody waits for a rung to fill.
    """

    def __init__(self, rungs: Rungs, tasks: int, objectives: Objectives) -> None:
        self.levels = rungs.levels(tasks)
        self._rungs = {
            level: Rung(factor=rungs.factor, reference=objectives.reference_cost)
            for level in self.levels
        }

    def judge(self, level: int, costs: Mapping[Id, ArrayLike]) -> set[Id]:
        """Enters what candidates cost [objectives] after ``level`` tasks; returns who goes on."""
        return self._rungs[level].judge(costs)

    def admit(self, level: int, costs: Mapping[Id, ArrayLike]) -> None:
        """Enters results whose verdict is already known: ``judge`` without its cost, for replay."""
        self._rungs[level].admit(costs)


class Rung:
    """All the finite results of one rung, and the rule for who goes on.

    A newcomer goes on if fewer than ceil(n / factor) of the n finite results seen, those of its own
    batch included, are better than it. Rounded up: at least one of ``factor`` goes on, and a small
    rung, which knows little, lets one more through rather than one less. A rung that holds fewer
    than ``factor`` lets all of them through.

    Better is: a lower non-dominated rank; within a rank, a larger exclusive share of the
    hypervolume. What ties is treated alike, whenever it came: both or neither go on.

    The hypervolume is taken over places, not values: on each objective a result's coordinate is
    the number of results strictly better than it, and so is the reference's. Any strictly
    increasing rescaling of an objective (and its reference) thus changes nothing: whether accuracy
    or its logit is recorded, and in what unit latency, does not decide who goes on. Places are
    whole numbers, so equal shares are exactly equal. Equal results share what one of them is worth.

    A result that is not finite is not entered and never goes on.
    """

    def __init__(self, *, factor: int, reference: ArrayLike) -> None:
        self.factor = factor
        self.reference = np.asarray(reference, dtype=np.float64)
        self._seen: set[Hashable] = set()
        self._costs = np.empty((0, len(self.reference)))

    def __len__(self) -> int:
        """How many finite results it holds."""
        return len(self._costs)

    def admit(self, costs: Mapping[Id, ArrayLike]) -> list[Id]:
        """Enters those that are finite and returns them, in order.

        Raises ``ValueError`` if an id has been here before.
        """
        again = [i for i in costs if i in self._seen]
        if again:
            raise ValueError(f"a rung sees each id once, got {again=}")
        self._seen |= costs.keys()
        rows = np.array(list(costs.values()), dtype=np.float64)
        rows = rows.reshape(len(costs), len(self.reference))
        finite: NDArray[np.bool_] = np.all(np.isfinite(rows), axis=1)
        self._costs = np.concatenate([self._costs, rows[finite]])
        return [i for i, entered in zip(costs, finite, strict=True) if entered]

    def judge(self, costs: Mapping[Id, ArrayLike]) -> set[Id]:
        """Enters the newcomers; returns the ids among them that go on."""
        known = len(self)
        entered = self.admit(costs)
        if len(self) < self.factor:
            return set(entered)
        on = among_best(self._costs, -(-len(self) // self.factor), self.reference)[known:]
        return {i for i, goes in zip(entered, on, strict=True) if goes}


def among_best(costs: Costs, room: int, reference: Costs) -> NDArray[np.bool_]:
    """Rows of ``costs`` [n, objectives], all finite, than which fewer than ``room`` are better.

    Bool [n]; at least ``room`` are true, 1 <= room <= n.
    """
    rank = fronts.ranks(costs)
    last = np.partition(rank, room - 1)[room - 1]
    chosen = rank < last
    tied = np.flatnonzero(rank == last)
    shares = _shares(costs, tied, reference)
    left = room - int(chosen.sum())
    chosen[tied] = shares >= np.partition(shares, -left)[-left]
    return chosen


def _shares(costs: Costs, front: NDArray[np.intp], reference: Costs) -> Costs:
    """Exclusive hypervolume, in places, of the rows ``front`` of ``costs``; equals share. [front]."""
    ordered = np.sort(costs, axis=0).T
    rows = zip(ordered, np.vstack([costs[front], reference]).T, strict=True)
    places = np.stack([np.searchsorted(column, values) for column, values in rows], axis=1)
    members, which = np.unique(places[:-1], axis=0, return_inverse=True)
    return fronts.contributions(members.astype(np.float64), places[-1].astype(np.float64))[which]
