"""Prices anew: what jobs of a table's study take on this machine, written into the table's JSON.

    OMP_NUM_THREADS=1 python benchmarks/tables/reprice.py rotated_digits

Candidates are drawn and not trained; jobs of each size are (``benchmarks/tables/timings.py``). Two
minutes of a machine that does nothing else. The surrogate, its noise and the true front stay.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch

from benchmarks.measurements import machine
from benchmarks.tables.fit import load_of, priced
from benchmarks.tables.timings import timings
from search import studyfile, tabular
from search.events import Opened
from search.folders import load
from search.history import History
from search.ledger import Ledger
from search.study import Study

if TYPE_CHECKING:
    from search.prices import Load
    from search.studyfile import StudyFile

HERE = Path(__file__).parent
CANDIDATES = 2048
"""Enough of every strategy for the widest job."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=[p.stem for p in sorted(HERE.glob("*.parquet"))])
    name = parser.parse_args().name
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        timed = timings_of(tabular.load(HERE / f"{name}.parquet").file, Path(folder, "study"))
    prices, off = priced(timed)
    about = HERE / f"{name}.json"
    told = json.loads(about.read_text("utf-8"))
    told |= {"prices": prices.to_json(), "prices_off": off, "prices_machine": machine()}
    about.write_text(json.dumps(told) + "\n", "utf-8")
    print(json.dumps({"prices": told["prices"], "off": off}, indent=1))


def timings_of(file: StudyFile, directory: Path) -> list[tuple[Load, float]]:
    """Loads and the seconds that they take, of candidates of ``file`` that are drawn into ``directory``."""
    history, drawn_of = load(drawn(file, directory))
    return [(load_of(row), row["seconds"]) for row in timings(history, drawn_of)]


def drawn(file: StudyFile, directory: Path) -> Path:
    """A study's folder with candidates of the study ``file``, none of them trained."""
    settings = (*file.overrides, f"budget={{candidates: {CANDIDATES}}}", "sampler={kind: random}")
    opened = Opened(name=file.name, text=file.text, overrides=settings, source=file.source)
    file = studyfile.read_text(file.text, file.source, settings)
    with Ledger.create(directory, opened) as ledger:
        study = Study(file, ledger, History(opened), lambda: 0.0)
        while study.next_job() is not None:
            pass
    return directory


if __name__ == "__main__":
    main()
