"""The command line: ``equipoise``. Each of its commands is a file of ``search/commands``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from search.commands.base import INTERRUPTED
from search.commands.check import CHECK
from search.commands.export import EXPORT
from search.commands.front import FRONT
from search.commands.kinds import KINDS
from search.commands.launch import LAUNCH
from search.commands.plan import PLAN
from search.commands.posthoc import POSTHOC
from search.commands.resume import RESUME
from search.commands.simulate import SIMULATE
from search.commands.status import STATUS
from search.commands.studies import STUDIES
from search.commands.sync import SYNC
from search.commands.tabulate import TABULATE
from search.commands.train import TRAIN
from search.commands.ui import UI
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

USERS_MISTAKE = 2

DESCRIPTION = """\
Searches the trade-off between stability and plasticity in continual learning
with averaged weights and EMA teachers. A study file says what may vary; a
launch ends with the candidates that no other beats on every objective.
"""

EXAMPLES = """\
examples:
  equipoise studies                      what is shipped
  equipoise kinds                        what a study file may ask for
  equipoise check my-study.yaml          every problem of a study file at once
  equipoise plan digits-frontier         what it would train, before it runs
  equipoise launch digits-frontier --dir runs/first
  equipoise front runs/first             the trade-offs it found
  equipoise export runs/first --pick knee --out best.yaml
  equipoise train best.yaml              train that one, and test it
  equipoise ui runs/first                MLflow on the study's results

`equipoise COMMAND --help` explains a command. A command ends with 0, with 1 if
nothing trained to the end, with 2 if it could not do what was asked, or with
130 after Ctrl-C.
"""

COMMANDS = (
    STUDIES,
    KINDS,
    CHECK,
    PLAN,
    LAUNCH,
    RESUME,
    STATUS,
    FRONT,
    EXPORT,
    TABULATE,
    SIMULATE,
    POSTHOC,
    TRAIN,
    SYNC,
    UI,
)
"""In the order of a study's life, which is that of the help."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command. 0, 1 if nothing trained to its end, 2 for what the user can mend, or 130."""
    parser = _parser()
    options = parser.parse_args(words)
    if options.run is None:
        parser.print_help(sys.stderr)
        return USERS_MISTAKE
    try:
        result: int = options.run(options)
    except SpecError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `equipoise front DIR | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


def _parser() -> argparse.ArgumentParser:
    """The parser whose results have the command's function as ``run``, or None without a command."""
    top = argparse.ArgumentParser(
        prog="equipoise",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"equipoise {version('equipoise')}")
    top.set_defaults(run=None)
    below = top.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        words = below.add_parser(
            command.name,
            help=command.does,
            description=command.does,
            epilog=command.more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        words.set_defaults(run=command.run)
        for add in command.options:
            add(words)
    return top
