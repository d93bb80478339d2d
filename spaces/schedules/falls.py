"""Falls: the shapes by which a learning rate comes down from its peak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from spaces.schedules.base import Table

Fall: TypeAlias = Literal["linear", "cosine", "root", "exponential", "inverse_root"]


def fallen(x: Table, fall: Fall, ratio: float) -> Table:
    """What is left of the peak at ``x`` of the way, from 1 at x = 0 to ``ratio`` at x = 1.

    "linear" 1 - x, "cosine" (1 + cos(pi x)) / 2 and "root" 1 - sqrt(x), each drawn together to end
    at ``ratio`` (as Hugging Face's get_wsd_schedule); "exponential" ratio^x; "inverse_root"
    1 / sqrt(1 + x (ratio^-2 - 1)), which is in proportion to 1 / sqrt(step). These two only come near
    0: to end there they fall all the way at once, which is their limit.
    """
    match fall:
        case "exponential":
            return ratio**x
        case "inverse_root":
            rise = np.hypot(ratio, np.sqrt(x * (1 - ratio * ratio)))
            return np.divide(ratio, rise, out=np.ones_like(x), where=rise > 0)
        case "linear":
            left = 1 - x
        case "cosine":
            left = 0.5 * (1 + np.cos(np.pi * x))
        case "root":
            left = 1 - np.sqrt(x)
    return ratio + (1 - ratio) * left
