from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command
from spaces.problems import SpecError, hint

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from search import studyfile
    from spaces.files import text_of

    shipped = studyfile.shipped()
    if options.show is not None:
        if options.show not in shipped:
            raise SpecError(
                [f"{options.show}: no shipped study has this name{hint(options.show, shipped)}"]
            )
        print(text_of(studyfile.STUDIES / f"{options.show}.yaml"), end="")
        return 0
    width = max(map(len, shipped))
    for name, summary in shipped.items():
        print(f"{name:<{width}}  {summary}")
    return 0


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument("--show", metavar="NAME", help="print that study's file instead")


STUDIES = Command(
    name="studies",
    does="List the shipped studies.",
    more="""\
A shipped study's name can be given wherever a STUDY is asked for. Copy its file
to begin one of your own; the default study explains every key:
  equipoise studies --show digits-frontier > my-study.yaml
""",
    options=(_show,),
    run=_run,
)
