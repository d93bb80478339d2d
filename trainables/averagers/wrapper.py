"""What an averager that is made of another's table is."""

from __future__ import annotations

from dataclasses import dataclass

from trainables.averagers.base import Averager


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapper(Averager):
    """Its table follows from that of ``averager``, at every step.

    Raises:
        ValueError: if ``averager`` is an average at the ends of tasks only.
    """

    averager: Averager

    def __post_init__(self) -> None:
        if not self.averager.steers:
            raise ValueError(
                f"needs an averager that is one at every step, got {type(self.averager).__name__},"
                " which is worked out for the ends of tasks only"
            )
