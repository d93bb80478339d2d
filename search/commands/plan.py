from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.base import Command, study

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from reports import tracker
    from search import studyfile
    from search.planning import plan
    from search.warm_starts import warmth_of

    file = studyfile.read(options.study, options.set)
    print(plan(file, warmth_of(file, tracker.recall)))
    return 0


PLAN = Command(
    name="plan",
    does="Print what a study would train and hold in memory, without running it.",
    more="""\
Candidates that differ only in their averages share a student, and students that
differ only in schedules share a job.
  equipoise plan my-study.yaml
  equipoise plan digits-frontier --set fold.averages=1
""",
    options=(study,),
    run=_run,
)
