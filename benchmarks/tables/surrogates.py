"""Which model predicts best what a table would say of students that it has not.

    python benchmarks/tables/surrogates.py benchmarks/tables/rotated_digits.parquet

One student in five, with all its averages, is shown to no model. Of these: the mean absolute error of each
objective, in points (and among the fifth of them that is best), its rank correlation, the hypervolume of
the front (of what was measured; predicted; measured of those that are predicted to be on it), the seconds to fit, and
the milliseconds to predict 64.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from search.surrogates import Encoding, Ensemble, Fitting
from search.tables import read
from search.tabular import flat, triangles
from spaces.fronts import hypervolume, non_dominated
from trainables.metrics import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.studyfile import StudyFile
    from search.tables import Table

Floats: TypeAlias = NDArray[np.float64]
Model: TypeAlias = "Callable[[Floats], Floats]"

HIDDEN = 0.2
"""The share of students that models are judged by."""


def nearest(inputs: Floats, outputs: Floats) -> Model:
    tree = cKDTree(inputs)
    return lambda asked: outputs[tree.query(asked)[1]]


def trees(inputs: Floats, outputs: Floats) -> Model:
    forest = ExtraTreesRegressor(100, max_features=0.5, random_state=0)
    return forest.fit(inputs, outputs).predict


def boosting(inputs: Floats, outputs: Floats) -> Model:
    """One for each accuracy."""
    models = [
        HistGradientBoostingRegressor(
            max_iter=300, learning_rate=0.08, max_leaf_nodes=15, random_state=0
        ).fit(inputs, column)
        for column in outputs.T
    ]
    return lambda asked: np.stack([model.predict(asked) for model in models], axis=1)


def perceptron(inputs: Floats, outputs: Floats) -> Model:
    return Ensemble.fit(inputs, outputs, Fitting(nets=1))


def perceptrons(inputs: Floats, outputs: Floats) -> Model:
    return Ensemble.fit(inputs, outputs, Fitting())


MODELS = {
    "nearest": nearest,
    "extra trees": trees,
    "boosting": boosting,
    "one perceptron": perceptron,
    "perceptrons": perceptrons,
}


def examples(table: Table, seed: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Encoded knobs, accuracies a[0][0], a[1][0], ... and students, of what was trained to the end."""
    rows = table.of_seed(seed)
    inputs, outputs = Encoding(table.file.space.knobs())(rows.knobs), flat(rows.accuracy)
    whole = ~np.isnan(outputs).any(axis=1)
    return inputs[whole], outputs[whole], rows.students[whole]


def hidden(students: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whose rows models are judged by."""
    each = np.random.default_rng(0).permutation(np.unique(students))
    return np.isin(students, each[: int(HIDDEN * len(each))])


def values(file: StudyFile, accuracies: Floats) -> Floats:
    """The study's objectives of rows of accuracies. [n, objectives]."""
    tasks = len(file.scenario.clock().task_ends)
    metrics = [named(name) for name in file.objectives.names]
    sheets = [
        {"accuracy": [row[: k + 1] for k, row in enumerate(triangle)]}
        for triangle in triangles(accuracies, tasks).tolist()
    ]
    return np.array([[metric.value(sheet) for metric in metrics] for sheet in sheets])


def judged(file: StudyFile, truth: Floats, predicted: Floats) -> dict[str, Any]:
    true, guess = values(file, truth), values(file, predicted)
    off = 100 * np.abs(true - guess)
    best = true.sum(axis=1) >= np.quantile(true.sum(axis=1), 0.8)
    reference = file.objectives.reference_cost
    costs, guessed = file.objectives.costs(true), file.objectives.costs(guess)
    names = file.objectives.names
    return {
        "error": dict(zip(names, off.mean(axis=0).round(2).tolist(), strict=True)),
        "error_of_best": dict(zip(names, off[best].mean(axis=0).round(2).tolist(), strict=True)),
        "rank_correlation": {
            name: round(float(spearmanr(true[:, j], guess[:, j])[0]), 4)
            for j, name in enumerate(names)
        },
        "hypervolume": {
            "measured": round(hypervolume(costs, reference), 4),
            "predicted": round(hypervolume(guessed, reference), 4),
            "of_predicted_front": round(hypervolume(costs[non_dominated(guessed)], reference), 4),
        },
    }


def compared(table: Table, name: str) -> dict[str, Any]:
    """How well the model called ``name`` does."""
    inputs, outputs, students = examples(table, table.file.seed)
    test = hidden(students)
    began = time.process_time()
    model = MODELS[name](inputs[~test], outputs[~test])
    seconds = time.process_time() - began
    found = judged(table.file, outputs[test], model(inputs[test]))
    began = time.process_time()
    for _ in range(20):
        model(inputs[:64])
    ms = (time.process_time() - began) / 20 * 1000
    return found | {"fit_seconds": round(seconds, 1), "ms_for_64": round(ms, 2)}


def main() -> None:
    torch.set_num_threads(1)
    table = read(Path(sys.argv[1]))
    for name in MODELS:
        print(f"{name:<15}", compared(table, name), flush=True)


if __name__ == "__main__":
    main()
