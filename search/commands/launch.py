from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.commands.base import Command, engine, study
from search.commands.watched import watched
from search.imports import uncollected

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    def run(watch: Any) -> Path:
        with uncollected():
            from search.launch import launch

        return launch(
            options.study,
            directory=options.dir,
            engine=options.engine,
            address=options.address,
            overrides=options.set,
            watch=watch,
        )

    return watched(options, run)


def _new_directory(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dir", type=Path, help="the study's folder, new (default: runs/NAME-TIMESTAMP)"
    )


LAUNCH = Command(
    name="launch",
    does="Run a study: search, record, print the front.",
    more="""\
Ctrl-C stops it; `equipoise resume DIR` goes on. Whatever a launch measures is
in DIR/ledger.jsonl at once; MLflow and the pictures follow.
  equipoise launch digits-frontier
  equipoise launch my-study.yaml --dir runs/first --set budget.candidates=64
  equipoise launch my-study.yaml --set 'recipe.optimizer.lr=!log [0.01, 1]'
  equipoise launch my-study.yaml --address 10.0.0.5:6379
""",
    options=(study, _new_directory, engine),
    run=_run,
)
