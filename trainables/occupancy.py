"""Occupancy: who sits where in a memory at each step, of its whole course at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Occupancy:
    """``count`` int64 [steps + 1] says how many times something was put before each step.

    What was put where, in order of time: ``columns`` (of the step's batch), ``places`` and ``samples``,
    int64 [n] each. Of two samples of a step in one place the later alone is there.
    """

    count: Tensor
    columns: Tensor
    places: Tensor
    samples: Tensor

    def pick(self, unit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Before each step, for each number in [0, 1), one of the places that are filled by then.

        ``unit`` float64 [steps, ...]. Places and the samples there, int64 like ``unit``, 0 while
        none is filled; and how many are, int64 [steps].
        """
        order, filled = self._filled(len(unit))
        wide = (-1, *(1 for _ in unit.shape[1:]))
        some = (filled > 0).view(wide)
        if not len(order):
            nothing = torch.zeros_like(unit, dtype=torch.long)
            return nothing, nothing, filled
        seats = order[(unit * filled.view(wide)).long()]
        steps = torch.arange(len(unit)).view(wide).expand_as(seats)
        return torch.where(some, seats, 0), torch.where(some, self._at(seats, steps), 0), filled

    def _filled(self, steps: int) -> tuple[Tensor, Tensor]:
        """Places in the order that they are first filled, and how many are before each step."""
        last = int(self.places.max()) + 1 if len(self.places) else 0
        first = torch.full((last,), steps, dtype=torch.long)
        first.scatter_reduce_(0, self.places, self._steps(), "amin")
        since, order = first.sort(stable=True)
        often = int((since < steps).sum())
        return order[:often], torch.searchsorted(since, torch.arange(steps))

    def _at(self, places: Tensor, steps: Tensor) -> Tensor:
        """The sample that was put last into each place before each step."""
        span = len(self.count)
        key, order = (self.places * span + self._steps()).sort()
        return self.samples[order[torch.searchsorted(key, places * span + steps) - 1]]

    def _steps(self) -> Tensor:
        """When each was put. Int64 [n]."""
        return torch.repeat_interleave(torch.arange(len(self.count) - 1), self.count.diff())


def occupancy(places: Tensor, samples: Tensor) -> Occupancy:
    """Of ``samples`` put into ``places``, both int64 [steps, B], -1 for nowhere."""
    steps, columns = (places >= 0).nonzero(as_tuple=True)
    at = places[steps, columns]
    last = torch.ones_like(at, dtype=torch.bool)
    key, order = (steps * (int(places.max()) + 2) + at).sort(stable=True)
    last[order[:-1]] = key[1:] != key[:-1]
    steps, columns, at = steps[last], columns[last], at[last]
    count = torch.zeros(len(places) + 1, dtype=torch.long)
    count[1:] = torch.bincount(steps, minlength=len(places)).cumsum(0)
    return Occupancy(count, columns, at, samples[steps, columns])
