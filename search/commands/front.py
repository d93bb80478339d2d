from __future__ import annotations

import json
from typing import TYPE_CHECKING

from search.commands.base import Command, as_json, directory

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import fronts, listing, verdicts
    from search.folders import load
    from search.verdicts import findings

    history, file = load(options.dir)
    front, found = fronts.of(history, file), findings(history, file)
    if options.json:
        print(json.dumps(front.to_json() | {"claims": verdicts.to_json(found)}))
    else:
        console = Console()
        listing.render(front, console)
        verdicts.render(found, console)
    return 0


FRONT = Command(
    name="front",
    does="Print the candidates that no other beats on every objective.",
    more="""\
Only candidates that trained through the whole stream count. Works while the
study runs.
  equipoise front runs/first
  equipoise front runs/first --json
""",
    options=(directory, as_json),
    run=_run,
)
