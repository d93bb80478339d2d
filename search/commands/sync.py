from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command, directory

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from reports import tracker

    print(tracker.sync(options.dir))
    return 0


SYNC = Command(
    name="sync",
    does="Bring MLflow up to date with a study's ledger.",
    more="""\
Needed only if MLflow could not be reached while the study ran.
  equipoise sync runs/first
""",
    options=(directory,),
    run=_run,
)
