from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command, directory

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from reports import tracker
    from search.folders import load

    _, file = load(options.dir)
    return tracker.serve(tracker.tracking_uri(file, options.dir.absolute()), port=options.port)


def _port(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=int, default=5000, help="(default: 5000)")


UI = Command(
    name="ui",
    does="Open MLflow on a study's results, on 127.0.0.1.",
    more="""\
The study is one run; its candidates are the runs below it. Ctrl-C ends it.
  equipoise ui runs/first
  equipoise ui runs/first --port 5001
""",
    options=(directory, _port),
    run=_run,
)
