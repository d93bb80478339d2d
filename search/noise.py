"""Noise: by how much the accuracies of one candidate differ between seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.asking import under_recipe
from search.worlds import LUCKS, Knobs, luck

Floats = NDArray[np.float64]

EDGE = 0.02
"""Accuracies are taken for at least so far from 0 and 1 when their spread is worked out."""


@dataclass(frozen=True, eq=False)
class Noise:
    """Accuracies p, in [0, 1], spread over seeds by sqrt(p (1 - p)) ``root`` z, z standard normal.

    ``root`` is [accuracies, at most LUCKS], the leading principal components of what was seen. The share
    ``shared`` of z's variance is the student's, and the same for all averages of it; the rest each
    candidate's own.
    """

    root: Floats
    shared: float

    def of(self, candidates: Sequence[Knobs], seed: int, mean: Floats) -> Floats:
        """Accuracies around ``mean`` [n, accuracies] of each candidate with ``seed``, within [0, 1]."""
        z = np.array([self._luck(knobs, seed) for knobs in candidates]).reshape(len(mean), -1)
        drawn: Floats = np.clip(mean + _spread(mean) * (z @ self.root.T), 0, 1)
        return drawn

    @classmethod
    def fit(cls, accuracies: Floats, students: NDArray[np.int64]) -> Noise:
        """Of candidates' accuracies with several seeds [n, seeds, accuracies], and whose each is [n].

        Unbiased: what the mean over S seeds hides is put back by the factor S / (S - 1).
        """
        mean = accuracies.mean(axis=1, keepdims=True)
        seeds = accuracies.shape[1]
        z = (accuracies - mean) / _spread(mean) * np.sqrt(seeds / (seeds - 1))
        values, vectors = np.linalg.eigh(np.einsum("nsa,nsb->ab", z, z) / (len(z) * seeds))
        leading = np.argsort(values)[::-1][:LUCKS]
        root = vectors[:, leading] * np.sqrt(np.maximum(values[leading], 0))
        return cls(root, _shared(z, students))

    def to_json(self) -> dict[str, Any]:
        return {"root": self.root.tolist(), "shared": self.shared}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Noise:
        return cls(np.array(told["root"]), told["shared"])

    def _luck(self, knobs: Knobs, seed: int) -> Floats:
        size = self.root.shape[1]
        own, student = luck(knobs, seed), luck({"student": under_recipe(knobs)}, seed)
        return (self.shared**0.5 * student + (1 - self.shared) ** 0.5 * own)[:size]


def _spread(accuracy: Floats) -> Floats:
    p = np.clip(accuracy, EDGE, 1 - EDGE)
    spread: Floats = np.sqrt(p * (1 - p))
    return spread


def _shared(z: Floats, students: NDArray[np.int64]) -> float:
    """1 - the variance within students over all of it, among students with several averages."""
    within, total, freedom, count = 0.0, 0.0, 0, 0
    for student in np.unique(students):
        mine = z[students == student]
        if len(mine) > 1:
            within += float(((mine - mine.mean(axis=0)) ** 2).sum())
            total += float((mine**2).sum())
            freedom, count = freedom + len(mine) - 1, count + len(mine)
    share = 1 - (within / freedom) / (total / count) if freedom and total else 0.0
    return min(max(share, 0.0), 1.0)
