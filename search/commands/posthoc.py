from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.base import Command, directory
from search.commands.writing import write

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import posthoc as reports
    from search import posthoc
    from search.preflight import check_folder

    out = options.out or options.dir / "posthoc"
    check_folder("--out", out)
    findings = posthoc.posthoc(
        options.dir, candidates=options.candidates, sampler=posthoc.sampler_called(options.sampler)
    )
    reports.render(findings, Console())
    for name, text in reports.files(findings, options.dir).items():
        write(out / name, text)
    knee, best = out / "best" / "knee.yaml", ""
    if reports.front(findings).rows:
        best = f"; train the best: equipoise train {knee}"
    print(f"all of them: {out / 'candidates.csv'}{best}")
    return 0


def _averages(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--candidates",
        type=int,
        default=256,
        metavar="N",
        help="averages to make of each student (default: 256)",
    )
    command.add_argument(
        "--sampler",
        default="qmc",
        metavar="KIND",
        help="who proposes them: qmc (default), tpe, nsga2, nsga3, gp or random",
    )
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to write (default: DIR/posthoc)"
    )


POSTHOC = Command(
    name="posthoc",
    does="Search other averages of the students that a study trained, without training.",
    more="""\
For a study that kept snapshots (`snapshots: {}` in its file). Averages of its
students are drawn from its own averagers, made of the snapshots and measured.
How far off they are is told by those that were tracked. The ledger stays as it
is: the best are written as files, which `equipoise train` trains exactly.
  equipoise launch digits-frontier --set 'snapshots={}' --dir runs/first
  equipoise posthoc runs/first
  equipoise train runs/first/posthoc/best/knee.yaml
""",
    options=(directory, _averages),
    run=_run,
)
