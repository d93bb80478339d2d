"""Post-hoc averages after Karras et al. (arXiv:2312.02696): power laws from the first step on.

Their correlations are written out as their appendix has them (NVlabs/edm2, training/phema.py), in
continuous time; nothing here knows of tables.
"""

from __future__ import annotations

import numpy as np


def gamma_of(width):
    """The exponent whose profile on [0, 1] has the standard deviation ``width``."""
    inverse = width**-2
    return max(np.roots([1, 7, 16 - inverse, 12 - inverse]).real)


def correlation(t_a, gamma_a, t_b, gamma_b):
    """The integral of the product of two profiles."""
    ratio = t_a / t_b
    power = np.where(t_a < t_b, gamma_b, -gamma_a)
    return (
        (gamma_a + 1)
        * (gamma_b + 1)
        * ratio**power
        / ((gamma_a + gamma_b + 1) * np.maximum(t_a, t_b))
    )


def weights(times, gammas, time, gamma):
    """The weights of the averages ``gammas`` at ``times`` that make the one ``gamma`` at ``time``."""
    t, g = np.asarray(times, float), np.asarray(gammas, float)
    among = correlation(t[:, None], g[:, None], t[None], g[None])
    found = np.linalg.solve(among, correlation(t, g, time, gamma))
    return found / found.sum()


def expected_error(shares, target):
    """The root mean square distance on a random walk, by drawing out what each step displaces."""
    off = shares - target
    return np.sqrt(sum(off[step:].sum() ** 2 for step in range(1, len(off))))


def best_weights(stored, target):
    """The minimum of ``expected_error`` over weights that sum to 1, from its normal equations."""
    steps = stored.shape[1]
    near = np.minimum.outer(np.arange(steps), np.arange(steps)).astype(float)  # a walk's covariance
    among, towards = stored @ near @ stored.T, stored @ near @ target
    count = len(stored)
    system = np.block([[among, np.ones((count, 1))], [np.ones((1, count)), np.zeros((1, 1))]])
    return np.linalg.lstsq(system, np.append(towards, 1.0), rcond=1e-14)[0][:count]
