"""What all that makes a table of a clock keeps to."""

from __future__ import annotations

import numpy as np


def assert_made_anew(made, clock):
    """The same numbers every time it is asked, in an array of its own."""
    first = made(clock)
    kept = first.copy()
    first[:] = -1.0
    np.testing.assert_array_equal(made(clock), kept)
