"""Trains the candidates of both tables of the tabular benchmark and writes them as Parquet.

    python benchmarks/tables/build.py NAME [--scratch DIR]    # NAME: rotated_digits or split_digits

A build that was stopped goes on where it was, if it is given the same --scratch.

``rotated_digits`` is of the space of the shipped ``digits-frontier``, and for development: surrogates,
samplers and rungs are compared and chosen by it. ``split_digits`` (``split_digits.yaml``) is for final
figures only: what was chosen is stated on it once. Both are dense quasi-random designs, points of a Sobol sequence:
4,096 students with 4 averages each, all trained to the end. The first jobs are trained again
with further seeds, so that a table knows what a seed is worth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from search import studyfile
from search.engines import local
from search.events import Opened
from search.folders import load
from search.history import History
from search.launch import git_state, versions
from search.ledger import Ledger
from search.study import Study

if TYPE_CHECKING:
    from search.studyfile import StudyFile

HERE = Path(__file__).parent
DENSE = ("sampler.kind=qmc", "rungs=null", "fold.averages=4", "budget.candidates=16384")
STUDIES = {
    "rotated_digits": ("digits-frontier", (*DENSE, "fold.members=64")),
    "split_digits": (str(HERE / "split_digits.yaml"), ()),
}
"""Wide folds: about 32 students share a job, whose kind of strategy and size of memory they share."""


def train(name: str, directory: Path) -> None:
    """Trains all candidates of the study ``name`` here, into ``directory``, with no tracker."""
    source, overrides = STUDIES[name]
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=STUDIES)
    parser.add_argument("--scratch", type=Path, help="where the ledger goes (default: deleted)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        train(options.name, (options.scratch or Path(passing)) / options.name)


if __name__ == "__main__":
    main()
