"""Falls: the shapes by which a learning rate comes down from its peak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from spaces.schedules.base import Table

Fall: TypeAlias = Literal["linear", "cosine", "root", "exponential", "inverse_root"]

NEVER_ZERO: tuple[Fall, ...] = ("exponential", "inverse_root")
"""The falls that reach any ratio but 0."""


def fallen(x: Table, fall: Fall, ratio: float) -> Table:
    """What is left of the peak at ``x`` of the way, from 1 at x = 0 to ``ratio`` at x = 1.

    "linear" 1 - x, "cosine" (1 + cos(pi x)) / 2 and "root" 1 - sqrt(x), each drawn together to end
    at ``ratio`` (as Hugging Face's get_wsd_schedule); "exponential" ratio^x; "inverse_root"
    1 / sqrt(1 + x (ratio^-2 - 1)), which is in proportion to 1 / sqrt(step).
    """
    match fall:
        case "exponential":
            return ratio**x
        case "inverse_root":
            return ratio / np.hypot(ratio, np.sqrt(x * (1 - ratio * ratio)))
        case "linear":
            left = 1 - x
        case "cosine":
            left = 0.5 * (1 + np.cos(np.pi * x))
        case "root":
            left = 1 - np.sqrt(x)
    return ratio + (1 - ratio) * left


def check_reachable(ratio: float, fall: Fall) -> None:
    """Raises ValueError if ``fall`` never comes down to ``ratio``."""
    if ratio == 0 and fall in NEVER_ZERO:
        raise ValueError(f"a fall that is {fall} never reaches 0, got a ratio of {ratio}")
