"""Products of matrices number by number: what compiled ones are to give to the last bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def chained(a, b):
    """The float32 matrix of a [m, k] and b [k, n]: sums from 0 on in the order of k, each rounded once."""
    m, n = len(a), b.shape[1]
    rows = [[_chain(a[i].tolist(), b[:, j].tolist()) for j in range(n)] for i in range(m)]
    return np.array(rows, dtype=np.float32)


def _chain(xs, ys):
    total = Fraction(0)
    for x, y in zip(xs, ys, strict=True):
        total = Fraction(float(rounded(Fraction(x) * Fraction(y) + total)))
    return float(total)


def rounded(exact):
    """The float32 nearest to a fraction; of two as near, the even one."""
    near = np.float32(float(exact))
    some = [near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))]
    return min(some, key=lambda x: (abs(Fraction(float(x)) - exact), x.view(np.int32) & 1))
