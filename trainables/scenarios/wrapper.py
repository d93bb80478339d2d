"""What changes another scenario: it holds that one, and passes on what it does not change."""

from __future__ import annotations

from dataclasses import dataclass

from spaces.clock import Clock
from trainables.scenarios.base import Increment, Scenario, Shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapper(Scenario):
    """The scenario ``of`` in another guise. Wrappers nest."""

    of: Scenario

    def clock(self) -> Clock:
        return self.of.clock()

    def shape(self) -> Shape:
        return self.of.shape()

    def increment(self) -> Increment:
        return self.of.increment()

    def once(self) -> bool:
        return self.of.once()

    def boundaries(self) -> bool:
        return self.of.boundaries()
