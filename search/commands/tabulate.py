from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command, directory, file_to_write

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from search import tables
    from search.folders import load
    from search.preflight import check_folder

    check_folder("--out", options.out.parent)
    table = tables.tabulate(*load(options.dir))
    table.write(options.out)
    size = options.out.stat().st_size
    print(f"{len(table)} candidates -> {options.out} ({size / len(table):.0f} bytes each)")
    return 0


TABULATE = Command(
    name="tabulate",
    does="Write what a study measured as one small file, for simulated searches.",
    more="""\
A row for each candidate: its knobs, its accuracies after every task and what
they cost. Parquet; made of a dense design, it stands in for training
(`sampler: {kind: qmc}`, `rungs: null`). Works while the study runs.
  equipoise tabulate runs/first --out first.parquet
""",
    options=(directory, file_to_write("Parquet")),
    run=_run,
)
