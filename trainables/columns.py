"""Columns: every table of every member of a cohort, side by side, on the host and on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from spaces.clock import Clock
from spaces.schedules.base import Table
from trainables.recipes import Recipe
from trainables.tables import tables


def columns_of(recipe: Recipe, clock: Clock) -> dict[str, Table]:
    """Every table that a member is trained by, float64 [steps] each; equal skeletons, equal names."""
    restarts = recipe.restarts(clock)
    found = tables(recipe, clock) | recipe.optimizer.derived(clock, restarts)
    return found | {"restart": restarts} if may_restart(recipe) else found


def may_restart(recipe: Recipe) -> bool:
    """Whether the memory of a recipe's optimizer is ever cleared, for all that its skeleton says."""
    return bool(recipe.pulls) or recipe.optimizer_at_task == "reset"


class Values(Protocol):
    """What a step asks of tables."""

    def at(self, step: int, part: slice) -> dict[str, Tensor]:
        """This step's value of each table, [m, 1] for the m members in ``part``."""

    def row(self, step: int, part: slice) -> Tensor:
        """The same side by side, in the order of the tables' names. [m, tables]."""

    def host(self, name: str, step: int, part: slice) -> Table:
        """The numbers that this step's values of one table are among, float64, off the device."""


class Columns:
    """The same numbers [steps, M] for each table on the host and on the device, float32."""

    def __init__(self, recipes: Sequence[Recipe], clock: Clock, like: Tensor) -> None:
        columns = [columns_of(r, clock) for r in recipes]
        self.names = tuple(columns[0])
        stacked = np.stack([[c[n] for c in columns] for n in self.names])  # [N, M, steps]
        rounded = stacked.transpose(2, 0, 1).astype(np.float32)
        by_member = np.ascontiguousarray(rounded.transpose(0, 2, 1))
        self._device = torch.from_numpy(by_member).to(like.device)  # [steps, M, N]
        # Rounded as on the device, so that what is 0 or 1 here is so there.
        self._host = rounded.astype(np.float64)
        self._last: tuple[tuple[int, slice], dict[str, Tensor]] | None = None

    def at(self, step: int, part: slice) -> dict[str, Tensor]:
        if self._last is None or self._last[0] != (step, part):
            values = torch.split(self.row(step, part), 1, dim=1)
            self._last = (step, part), dict(zip(self.names, values, strict=True))
        return self._last[1]

    def row(self, step: int, part: slice) -> Tensor:
        """The same in the order of `names`. [m, tables]."""
        return self._device[step, part]

    def host(self, name: str, step: int, part: slice) -> Table:
        """This step's values, [m]."""
        return self._host[step, self.names.index(name), part]

    def span(self, name: str, steps: range) -> Table:
        """Some steps' values of one table, [n, m]."""
        return self._host[steps.start : steps.stop, self.names.index(name)]

    def differs(self, name: str, steps: range, part: slice, usual: float) -> list[bool]:
        """At which of some steps any member in ``part`` has another value of one table than is ``usual``. [n]."""
        return (self.span(name, steps)[:, part] != usual).any(axis=1).tolist()

    def over(self, steps: range) -> Tensor:
        """The values of some steps, as ``of_any`` takes them. [n, M, tables]."""
        return self._device[steps.start : steps.stop]

    def of_any(self, values: Tensor) -> Values:
        """The same tables at n steps of which only ``values`` know where in the run they lie."""
        return _OfAny(self.names, values, self._host)

    def keep(self, members: list[int]) -> None:
        self._last = None
        self._host, self._device = self._host[:, :, members], self._device[:, members]


@dataclass(frozen=True, slots=True, eq=False)
class _OfAny:
    names: tuple[str, ...]
    values: Tensor
    run: Table

    def at(self, step: int, part: slice) -> dict[str, Tensor]:
        return dict(zip(self.names, torch.split(self.row(step, part), 1, dim=1), strict=True))

    def row(self, step: int, part: slice) -> Tensor:
        return self.values[step, part]

    def host(self, name: str, step: int, part: slice) -> Table:
        """The values of the whole run, [steps, m]."""
        del step
        return self.run[:, self.names.index(name), part]
