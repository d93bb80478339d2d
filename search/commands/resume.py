from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.commands.base import Command, directory, engine
from search.commands.watched import watched
from search.imports import uncollected

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def _run(options: argparse.Namespace) -> int:
    def run(watch: Any) -> Path:
        with uncollected():
            from search.launch import resume

        resume(options.dir, engine=options.engine, address=options.address, watch=watch)
        folder: Path = options.dir
        return folder

    return watched(options, run)


RESUME = Command(
    name="resume",
    does="Go on with a study that was stopped or killed: nothing is lost.",
    more="""\
Everything is read from the ledger, so the study file may have changed or gone.
  equipoise resume runs/first
""",
    options=(directory, engine),
    run=_run,
)
