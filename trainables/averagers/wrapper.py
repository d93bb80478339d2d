"""What an averager that is made of another's table is."""

from __future__ import annotations

from dataclasses import dataclass

from trainables.averagers.base import Averager


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapper(Averager):
    """Its table follows from that of ``averager``, at every step.

    Raises:
        ValueError: if ``averager`` has no table that is an average at every step.
    """

    averager: Averager

    def __post_init__(self) -> None:
        if not self.averager.steers:
            raise ValueError(
                f"needs an averager whose table is one at every step, got "
                f"{type(self.averager).__name__}, which has none"
            )
