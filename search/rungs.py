"""Rungs: who goes on, as arithmetic. No process is stopped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from spaces import fronts
from spaces.fronts import Costs
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spaces.objectives import Objectives

Ids: TypeAlias = "NDArray[np.int64]"


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

    def judge(self, level: int, costs: Mapping[int, ArrayLike]) -> set[int]:
        """Enters what candidates cost [objectives] after ``level`` tasks; returns who goes on."""
        return self._rungs[level].judge(costs)

    def admit(self, level: int, costs: Mapping[int, ArrayLike]) -> None:
        """Enters results whose verdict is already known: ``judge`` without its cost, for replay."""
        self._rungs[level].admit(costs)


class Rung:
    """All the finite results of one rung, and the rule for who goes on.

    A newcomer goes on if it is among the best ceil(n / factor) of the n finite results seen,
    itself and the others of its batch included. Rounded up: at least one of ``factor`` goes on,
    and a small rung, which knows little, lets one more through rather than one less. A rung that
    holds fewer than ``factor`` lets all of them through.

    Better is: a lower non-dominated rank; then, within a rank, a larger exclusive share of the
    hypervolume; then the lower id, so that of equal results the earliest are kept and the rule
    always keeps exactly its number.

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
        self._seen: set[int] = set()
        self._ids = np.empty(0, dtype=np.int64)
        self._costs = np.empty((0, len(self.reference)))

    def __len__(self) -> int:
        """How many finite results it holds."""
        return len(self._ids)

    def admit(self, costs: Mapping[int, ArrayLike]) -> None:
        """Enters the finite ones. Raises ``ValueError`` if an id has been here before."""
        again = sorted(costs.keys() & self._seen)
        if again:
            raise ValueError(f"a rung sees each id once, got {again=}")
        self._seen |= costs.keys()
        ids = np.fromiter(costs, dtype=np.int64, count=len(costs))
        rows = np.array(list(costs.values()), dtype=np.float64)
        rows = rows.reshape(len(ids), len(self.reference))
        finite = np.isfinite(rows).all(axis=1)
        self._ids = np.concatenate([self._ids, ids[finite]])
        self._costs = np.concatenate([self._costs, rows[finite]])

    def judge(self, costs: Mapping[int, ArrayLike]) -> set[int]:
        """Enters the newcomers; returns the ids among them that go on."""
        known = len(self)
        self.admit(costs)
        newcomers = np.arange(known, len(self))
        if len(self) >= self.factor:
            room = -(-len(self) // self.factor)
            newcomers = newcomers[best(self._costs, self._ids, room, self.reference)[known:]]
        return set(self._ids[newcomers].tolist())


def best(costs: Costs, ids: Ids, room: int, reference: Costs) -> NDArray[np.bool_]:
    """The ``room`` best rows of ``costs`` [n, objectives], all finite. Bool [n]."""
    rank = fronts.ranks(costs)
    last = np.partition(rank, room - 1)[room - 1]
    chosen = rank < last
    tied = np.flatnonzero(rank == last)
    order = np.lexsort((ids[tied], -_shares(costs, tied, reference)))
    chosen[tied[order[: room - chosen.sum()]]] = True
    return chosen


def _shares(costs: Costs, front: NDArray[np.intp], reference: Costs) -> Costs:
    """Exclusive hypervolume, in places, of the rows ``front`` of ``costs``; equals share. [front]."""
    ordered = np.sort(costs, axis=0).T
    rows = zip(ordered, np.vstack([costs[front], reference]).T, strict=True)
    places = np.stack([np.searchsorted(column, values) for column, values in rows], axis=1)
    members, which = np.unique(places[:-1], axis=0, return_inverse=True)
    return fronts.contributions(members.astype(np.float64), places[-1].astype(np.float64))[which]
