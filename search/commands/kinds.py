from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from search import kinds

    print(kinds.text(options.names))
    return 0


def _names(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a family, a kind, or a family and one of its kinds (default: everything)",
    )


KINDS = Command(
    name="kinds",
    does="List what a study file may ask for; explain one kind.",
    more="""\
Every family (scenario, term, averager, schedule, metric, ...) with its kinds;
one family's; or a kind with its fields, bounds, defaults and an example:
  equipoise kinds
  equipoise kinds averager
  equipoise kinds averager ema
  equipoise kinds stability
""",
    options=(_names,),
    run=_run,
)
