"""Stopwatches: what share of a driver's time something takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopwatch:
    """Runs while it is entered. Seconds are this machine's, not the study's: they are only shown."""

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        self._read, self._made = read, read()
        self._began = 0.0
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._began = self._read()

    def __exit__(self, *_: object) -> None:
        self.seconds += self._read() - self._began

    @property
    def share(self) -> float:
        """Of the time since it was made, how much it ran."""
        gone = self._read() - self._made
        return self.seconds / gone if gone > 0 else 0.0
