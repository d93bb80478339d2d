from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from search.commands.base import Command, as_json, directory

if TYPE_CHECKING:
    import argparse

    from search.history import History
    from search.studyfile import StudyFile


def _run(options: argparse.Namespace) -> int:
    from search.folders import load

    history, file = load(options.dir)
    status = {
        **history.counts(),
        **_infeasible(history, file),
        "hypervolume": history.hypervolume(file.goals),
        "budget": file.budget.said(),
        "seconds": history.seconds,
        "device_seconds": history.device_seconds(),
        "finished": history.ended is not None,
    }
    if history.ended is not None:
        status["why"] = file.budget.told(history.ended.reason)
    if options.json:
        print(json.dumps(status))
        return 0
    for name, value in status.items():
        print(f"{name:<16}{_plain(value)}")
    return 0


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _infeasible(history: History, file: StudyFile) -> dict[str, int]:
    """How many complete candidates break a constraint, if the study has any."""
    if not file.constraints:
        return {}
    return {"infeasible": len(history.finals()) - len(history.feasible(file.goals))}


STATUS = Command(
    name="status",
    does="Count a study's candidates by state; works while it runs.",
    more="""\
  equipoise status runs/first
  equipoise status runs/first --json
""",
    options=(directory, as_json),
    run=_run,
)
