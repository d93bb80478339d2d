"""Builds the tables of the tabular benchmark, and the worlds that are fitted to them.

    python benchmarks/tables/build.py NAME [--scratch DIR]    # NAME: rotated_digits or split_digits
    python benchmarks/tables/build.py NAME --candidates 64 --out DIR    # a small one, to try it

Trains all candidates, times jobs of every size, and writes NAME.parquet, NAME.npz and NAME.json here. About a
quarter of an hour of processor time each. A build that was stopped goes
on where it was, if it is given the same --scratch.

``rotated_digits`` is of the space of the shipped ``digits-frontier``, and for development: surrogates,
samplers and rungs are compared and chosen by it. ``split_digits`` (``split_digits.yaml``) is for final
figures only: what was chosen is stated on it once. Both are dense quasi-random designs, points of a
Sobol sequence, 4 averages of each student, all trained to the end. The first jobs are trained again
with further seeds, so that a table knows what a seed is worth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.tables.fit import write
from benchmarks.tables.jobs import job_of, told
from benchmarks.tables.reprice import timings_of
from search import studyfile
from search.engines import local
from search.events import Opened
from search.folders import load
from search.history import History
from search.launch import git_state, versions
from search.ledger import Ledger
from search.study import Study
from search.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from search.studyfile import StudyFile
    from search.tables import Table

HERE = Path(__file__).parent
DESIGN = ("sampler.kind=qmc", "rungs=null", "fold.averages=4")
STUDIES = {
    "rotated_digits": (
        "digits-frontier",
        (*DESIGN, "fold.members=64", "budget.candidates=8192"),
    ),
    "split_digits": (
        str(HERE / "split_digits.yaml"),
        (*DESIGN, "fold.members=256", "budget.candidates=16384"),
    ),
}
"""Wide folds: about 32 students share a job, whose kind of strategy and size of memory they share."""

SEEDS = (1, 2, 3, 4)
"""Beside the study's own, 0."""

LEAST = 32
"""Candidates, of which a fifth of the students judge the surrogate."""

REPEATED = {"rotated_digits": 2, "split_digits": 3}
"""How many of the first jobs are trained with further seeds: one of each strategy."""


def train(name: str, directory: Path, candidates: int | None = None) -> None:
    """Trains all ``candidates`` of the study ``name`` here, into ``directory``, with no tracker."""
    source, overrides = STUDIES[name]
    if candidates is not None:
        overrides = (*overrides, f"budget.candidates={candidates}")
    if directory.exists():
        with Ledger.open(directory) as ledger:
            history, file = load(directory)
            if history.ended is None:
                _drive(file, ledger, history)
        return
    file = studyfile.read(source, overrides)
    opened = Opened(
        name=file.name,
        text=file.text,
        overrides=overrides,
        source=file.source,
        versions=versions(),
        git=git_state(),
    )
    with Ledger.create(directory, opened) as ledger:
        _drive(file, ledger, History(opened))


def _drive(file: StudyFile, ledger: Ledger, history: History) -> None:
    began = time.monotonic() - history.seconds
    study = Study(file, ledger, history, lambda: time.monotonic() - began)

    def watch() -> None:
        ended, of = len(history.outcomes), file.budget.candidates
        print(f"\r{ended} of {of} candidates, {history.seconds:.0f} s", end="", flush=True)

    local.drive(study, watch)
    study.end()
    print()


def repeated(history: History, file: StudyFile, seed: int, jobs: int) -> Table:
    """What the candidates of the first ``jobs`` measure when they are trained with ``seed``; of all if there are fewer."""
    again = History(history.opened)
    for number in range(min(jobs, len(history.jobs))):
        seats = history.jobs[number].candidates
        for candidate in seats:
            again.add(history.candidates[candidate])
        job = job_of(history, file, history.jobs[number].members, seed=seed)
        for event in told(job, seats, len(file.scenario.clock().task_ends)):
            again.add(event)
    return tabulate(again, replace(file, seed=seed))


def build(name: str, scratch: Path, out: Path, candidates: int | None = None) -> None:
    """Makes the three files of the table ``name`` in ``out``; of so many ``candidates``, or of all."""
    directory = scratch / name
    train(name, directory, candidates)
    history, file = load(directory)
    others = [repeated(history, file, seed, REPEATED[name]) for seed in SEEDS]
    path = out / f"{name}.parquet"
    tabulate(history, file).joined(*others).write(path)
    with tempfile.TemporaryDirectory() as passing:
        write(path, timings_of(file, Path(passing, "drawn")))


def main(words: Iterable[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=STUDIES)
    parser.add_argument("--scratch", type=Path, help="where the ledger goes (default: deleted)")
    parser.add_argument(
        "--out", type=Path, default=HERE, help="where the table goes (default: here)"
    )
    parser.add_argument(
        "--candidates", type=int, help="a smaller table, to be put elsewhere (--out)"
    )
    options = parser.parse_args(None if words is None else list(words))
    if options.candidates is not None and options.candidates < LEAST:
        parser.error(f"--candidates: at least {LEAST}, got {options.candidates}")
    if options.candidates is not None and options.out.resolve() == HERE.resolve():
        parser.error("--candidates: a smaller table goes elsewhere, say --out too")
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as passing:
        build(options.name, options.scratch or Path(passing), options.out, options.candidates)


if __name__ == "__main__":
    main()
