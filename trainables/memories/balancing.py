"""What memories that keep their classes balanced share: who is held where, class by class."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from trainables.memories.base import Arrivals, first_visits


class Held:
    """Places by the class that holds them, while samples come one by one.

    ``draw(n)`` is a whole number in [0, n), drawn at random.
    """

    def __init__(self, arrivals: Arrivals, size: int, rng: torch.Generator) -> None:
        self.size = size
        self.seats: list[list[int]] = [[] for _ in range(arrivals.classes)]
        self.filled = 0
        # One for all, since a call for each would cost more than all else that is done.
        unit = torch.rand(2 * arrivals.samples.numel(), generator=rng, dtype=torch.float64)
        self._unit = iter(unit.tolist())

    def draw(self, n: int) -> int:
        return int(next(self._unit) * n)

    def largest(self) -> int:
        """The class that holds most places, of several the one that they draw."""
        most = max(map(len, self.seats))
        tied = [c for c, seats in enumerate(self.seats) if len(seats) == most]
        return tied[self.draw(len(tied))]

    def free(self, label: int) -> int:
        """Gives the next free place to a sample of class ``label``."""
        self.seats[label].append(self.filled)
        self.filled += 1
        return self.filled - 1

    def taken(self, loser: int, label: int) -> int:
        """Gives one of the places of class ``loser``, drawn, to a sample of class ``label``."""
        seats = self.seats[loser]
        i = self.draw(len(seats))
        place, seats[i] = seats[i], seats[-1]
        seats.pop()
        self.seats[label].append(place)
        return place


def one_by_one(arrivals: Arrivals, place_of: Callable[[int], int]) -> Tensor:
    """``place_of`` the label of each sample that is met for the first time, in order. [steps, B]."""
    new = first_visits(arrivals.samples)
    out = torch.full_like(arrivals.samples, -1)
    out[new] = torch.tensor([place_of(y) for y in arrivals.labels[new].tolist()], dtype=torch.long)
    return out
