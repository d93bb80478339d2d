"""Fits the world of a table: writes NAME.npz and NAME.json beside NAME.parquet.

    python benchmarks/tables/fit.py benchmarks/tables/NAME.parquet TIMINGS

TIMINGS is what ``benchmarks/tables/timings.py`` printed of the table's study. One to two minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.measurements import machine
from benchmarks.tables.front import front
from benchmarks.tables.surrogates import examples, hidden, judged, values
from search.noise import Noise
from search.prices import Load, Prices
from search.surrogates import Ensemble, Fitting
from search.tables import read
from search.tabular import flat
from spaces.fronts import hypervolume

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.tables import Table


def fit(path: Path, timed: Sequence[tuple[Load, float]]) -> dict[str, Any]:
    """What is written as JSON."""
    table = read(path)
    file, (inputs, outputs, students) = table.file, examples(table, table.file.seed)
    test = hidden(students)
    tried = Ensemble.fit(inputs[~test], outputs[~test], Fitting())
    errors = judged(file, outputs[test], tried(inputs[test]))
    Ensemble.fit(inputs, outputs, Fitting()).write(path.with_suffix(".npz"))
    found, _ = front(table, Ensemble.read(path.with_suffix(".npz")))
    costs = file.objectives.costs(found)
    noise, spread = noises(table)
    prices, off = priced(timed)
    return {
        "hidden_students": errors,
        "seeds": spread,
        "noise": noise.to_json(),
        "prices": prices.to_json(),
        "prices_off": off,
        "prices_machine": machine(),
        "front": {
            "objectives": list(file.objectives.names),
            "reference": list(file.objectives.reference),
            "hypervolume": hypervolume(costs, file.objectives.reference_cost),
            "values": found.tolist(),
        },
    }


def noises(table: Table) -> tuple[Noise, dict[str, float]]:
    """The noise, and the standard deviation of each objective over seeds, in points."""
    seeds = [table.of_seed(int(seed)) for seed in np.unique(table.seeds)]
    rows = [
        dict(zip(t.data["candidate"].to_pylist(), flat(t.accuracy), strict=True)) for t in seeds
    ]
    both = sorted(set.intersection(*(set(r) for r in rows)))
    found = np.array([[r[c] for r in rows] for c in both])
    whole = ~np.isnan(found).any(axis=(1, 2))
    first = dict(zip(seeds[0].data["candidate"].to_pylist(), seeds[0].students, strict=True))
    students = np.array([first[c] for c in both])
    each = np.stack([values(table.file, found[whole, s]) for s in range(len(seeds))], axis=1)
    sd = 100 * np.sqrt(each.var(axis=1, ddof=1).mean(axis=0))
    told = dict(zip(table.file.objectives.names, sd.round(2).tolist(), strict=True))
    return Noise.fit(found[whole], students[whole]), told


def priced(timed: Sequence[tuple[Load, float]]) -> tuple[Prices, dict[str, float]]:
    """Prices, and by what share of what they took jobs are mistaken that were not looked at.

    Every fifth job is left out, five times.
    """
    jobs = sorted({(t.strategy, t.members, t.averages) for t, _ in timed})
    off: list[float] = []
    for fold in range(5):
        out = set(jobs[fold::5])
        rest = [(t, s) for t, s in timed if (t.strategy, t.members, t.averages) not in out]
        held = [(t, s) for t, s in timed if (t.strategy, t.members, t.averages) in out]
        off += np.abs(Prices.fit(rest).errors(held)).tolist()
    quartiles = np.quantile(off, [0.5, 0.9]).round(3).tolist()
    return Prices.fit(timed), dict(zip(("median", "ninth_decile"), quartiles, strict=True))


def load_of(row: Mapping[str, Any]) -> Load:
    """What was timed in a row of ``benchmarks/tables/timings.py``, whose averages are each member's."""
    return Load(
        strategy=row["strategy"],
        members=row["members"],
        averages=row["members"] * row["averages"],
        task=row["task"],
    )


def write(path: Path, timed: Sequence[tuple[Load, float]]) -> None:
    """Fits the world of the table at ``path`` and writes it beside that."""
    about = fit(path, timed)
    path.with_suffix(".json").write_text(json.dumps(about) + "\n", "utf-8")
    print(json.dumps({k: about[k] for k in ("hidden_students", "seeds", "prices_off")}, indent=1))
    print("hypervolume of the true front:", about["front"]["hypervolume"])


def main() -> None:
    torch.set_num_threads(1)
    rows = [json.loads(line) for line in Path(sys.argv[2]).read_text("utf-8").splitlines()]
    write(Path(sys.argv[1]), [(load_of(row), row["seconds"]) for row in rows])


if __name__ == "__main__":
    main()
