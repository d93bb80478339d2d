from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from search.commands.base import Command, directory, file_to_write
from search.commands.writing import write

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from reports import export, fronts
    from reports.picks import pick
    from search.folders import load
    from search.preflight import check_folder

    check_folder("--out", options.out.parent)
    history, file = load(options.dir)
    candidate = pick(fronts.of(history, file), options.pick)
    text = export.export(
        history,
        file,
        candidate,
        options.dir,
        exported=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write(options.out, text)
    print(f"candidate {candidate} -> {options.out}; train it with: equipoise train {options.out}")
    return 0


def _pick(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--pick",
        required=True,
        metavar="WHICH",
        help="knee (the best compromise), an objective such as plasticity or stability (the best "
        "on it), or a candidate's number",
    )


EXPORT = Command(
    name="export",
    does="Write one candidate as a file that `equipoise train` accepts.",
    more="""\
The file holds all that the candidate was, what it scored and where it is from.
  equipoise export runs/first --pick knee --out best.yaml
  equipoise export runs/first --pick stability --out stable.yaml
  equipoise export runs/first --pick 17 --out candidate-17.yaml
""",
    options=(directory, _pick, file_to_write("YAML")),
    run=_run,
)
