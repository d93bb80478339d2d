from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command, study

if TYPE_CHECKING:
    import argparse

    from search.studyfile import StudyFile


def _run(options: argparse.Namespace) -> int:
    from search import studyfile
    from search.anchors import anchors_of
    from search.room import check_room, room

    file = studyfile.read(options.study, options.set)
    check_room(file, room(file))
    print(f"{file.source}: fine: {len(file.space.knobs())} knobs, {_objectives(file)}")
    if file.anchors:
        print(f"anchors: {anchors_of(file)}")
    return 0


def _objectives(file: StudyFile) -> str:
    pairs = zip(file.objectives.names, file.objectives.directions, strict=True)
    return "objectives " + ", ".join(f"{n} ({d})" for n, d in pairs)


CHECK = Command(
    name="check",
    does="Read a study file and print every problem at once.",
    more="""\
Each problem is a line: file, line, path, what is wrong, what was perhaps meant.
  equipoise check my-study.yaml
  equipoise check digits-frontier --set budget.candidates=64
""",
    options=(study,),
    run=_run,
)
