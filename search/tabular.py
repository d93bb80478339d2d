"""The tabular world: a table's surrogate, its noise and its prices, beside the table it is of.

``NAME.parquet`` is the table, ``NAME.npz`` the ensemble that was fitted to it, ``NAME.json`` the rest: noise, prices,
how far off each is, and the world's true front.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.noise import Noise
from search.prices import Load, Prices
from search.studyfile import StudyFile
from search.surrogates import Encoding, Ensemble
from search.tables import read
from search.worlds import Knobs, Triangles
from spaces.problems import SpecError

Floats: TypeAlias = NDArray[np.float64]

STRATEGY = "recipe.strategy"
"""The knob that prices go by: jobs whose students differ in it are different jobs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tabular:
    """A world whose accuracies are a surrogate's and, unless ``noise`` is None, a seed's luck.

    ``front`` are the values of its true front [n, objectives], in the order of the study's
    objectives and without luck: the best that is known (``benchmarks/tables/front.py``).
    """

    file: StudyFile
    ensemble: Ensemble
    prices: Prices
    noise: Noise | None
    front: Floats

    def accuracy(self, candidates: Sequence[Knobs], seed: int) -> Triangles:
        mean = self._mean(candidates)
        if self.noise is not None:
            mean = self.noise.of(candidates, seed, mean)
        return self._triangles(mean)

    def expected(self, candidates: Sequence[Knobs]) -> Triangles:
        """Without luck: what many seeds have at their middle."""
        return self._triangles(self._mean(candidates))

    def seconds(self, members: Sequence[Sequence[Knobs]], task: int) -> float:
        load = Load(
            strategy=members[0][0].get(STRATEGY, 0),
            members=len(members),
            averages=sum(map(len, members)),
            task=task,
        )
        return self.prices.of(load)

    @property
    def tasks(self) -> int:
        return len(self.file.scenario.clock().task_ends)

    def _mean(self, candidates: Sequence[Knobs]) -> Floats:
        return self.ensemble(Encoding(self.file.space.knobs())(candidates))

    def _triangles(self, accuracies: Floats) -> Triangles:
        return triangles(accuracies, self.tasks)


def triangles(accuracies: Floats, tasks: int) -> Triangles:
    """Rows [n, tasks (tasks + 1) / 2], of a[0][0], a[1][0], a[1][1], ..., as [n, tasks, tasks]."""
    out = np.full((len(accuracies), tasks, tasks), np.nan)
    out[:, *np.tril_indices(tasks)] = accuracies
    return out


def flat(found: Triangles) -> Floats:
    """``triangles`` turned round."""
    rows: Floats = found[:, *np.tril_indices(found.shape[1])]
    return rows


def load(table: Path) -> Tabular:
    """The world of the table at ``table``, of which nothing but its study is read.

    Raises:
        SpecError: if the table is none, or what was fitted to it does not lie beside it.
    """
    about = described(table)
    return Tabular(
        file=read(table).file,
        ensemble=Ensemble.read(table.with_suffix(".npz")),
        prices=Prices.of_json(about["prices"]),
        noise=Noise.of_json(about["noise"]),
        front=np.array(about["front"]["values"]),
    )


def described(table: Path) -> dict[str, Any]:
    """What is told of the world in the file beside ``table``."""
    path = table.with_suffix(".json")
    if not path.is_file() or not table.with_suffix(".npz").is_file():
        told = "its world was not fitted yet; run benchmarks/tables/build.py"
        raise SpecError([f"{table}: {told}"])
    about: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return about
