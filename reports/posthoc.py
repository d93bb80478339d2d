"""What a post-hoc search found: as a table, as files, and as configurations to be trained exactly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from reports import export, fronts, listing
from reports.knobs import knobs_of, settings
from reports.picks import pick
from spaces.fronts import non_dominated

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from search.posthoc import Findings

HEAD = """\
# An average made of the snapshots of candidate {like} of the study {name}: what it scored there is
# an estimate. Train it, which makes it exactly, and test it on the test set, with
#   equipoise train {which}.yaml
"""


def front(findings: Findings) -> fronts.Front:
    """The front of the study's candidates and the averages made, these numbered from ``first``."""
    study = findings.file
    objectives, goals, knobs = study.objectives, study.goals, knobs_of(study.space.knobs())
    measured = _every(findings)
    every = {n: e for n, e in measured.items() if goals.feasible(e.metrics)}
    values = np.array([[e.metrics[n] for n in objectives.names] for e in every.values()])
    costs = objectives.costs(values)
    numbers, on = list(every), non_dominated(costs)
    rows = [
        fronts.Row(
            candidate=numbers[i],
            values={n: every[numbers[i]].metrics[n] for n in objectives.names},
            config=every[numbers[i]].config,
            settings=settings(knobs, every[numbers[i]].knobs),
        )
        for i in np.argsort(costs[:, 0], kind="stable")
        if on[i]
    ]
    return fronts.Front(
        objectives=dict(zip(objectives.names, objectives.directions, strict=True)),
        reference=dict(zip(objectives.names, map(float, objectives.reference), strict=True)),
        hypervolume=findings.after,
        rows=tuple(rows),
        states=dict.fromkeys(every, "complete"),
        constraints=goals.constraints.told(),
        preferences=goals.preferences.told(),
        infeasible={n: goals.broken(e.metrics) for n, e in measured.items() if n not in every},
        preferred=fronts.preferred(goals, rows),
        lacking=goals.unmet({n: e.metrics for n, e in measured.items()}) or fronts.UNFINISHED,
    )


def first(findings: Findings) -> int:
    """The number of the first average made: those below are the study's candidates."""
    return len(findings.history.candidates)


def figures(findings: Findings) -> dict[str, Any]:
    """What came of the search, in plain numbers; errors are ``search.posthoc.Check``'s."""
    check = findings.check
    errors = {name: getattr(check, name) for name in check.__dataclass_fields__}
    return {
        "students": findings.students,
        "made": len(findings.made),
        "failed": sum(not m.metrics for m in findings.made),
        "seconds": findings.seconds,
        "made_per_second": len(findings.made) / findings.seconds,
        "hypervolume_before": findings.before,
        "error": {
            name: {"rms": float(np.sqrt(np.mean(e**2))), "max": float(e.max())}
            for name, e in errors.items()
        },
    }


def render(findings: Findings, console: Console) -> None:
    """The front of both, what it gains, how fast it was found, and how far to trust it."""
    listing.render(front(findings), console)
    told = figures(findings)
    error = told["error"]
    lines = {
        "made": f"numbers from {first(findings)} on: averages made of snapshots, estimated",
        "gain": f"hypervolume {findings.before:.4f} -> {findings.after:.4f}",
        "speed": (
            f"{told['made']} averages of {told['students']} students in {told['seconds']:.1f} s, "
            f"{told['made_per_second']:.0f} a second"
        ),
        "error": (
            f"of averages that were tracked too: objectives off by {_size(error['objectives'])}, "
            f"accuracies {_size(error['accuracy'])}, weights {_size(error['weights'])} of the way "
            f"from the first weights (expected {_size(error['expected'])})"
        ),
    }
    for name, line in lines.items():
        console.print(f"{name:<6}{line}", highlight=False)


def files(findings: Findings, directory: Path) -> dict[str, str]:
    """What is to be written of a search in the study's ``directory``: texts by relative path.

    ``candidates.csv`` (every average made), ``posthoc.json`` (figures and the front) and a
    configuration for each word that picks one of the front, ``best/WORD.yaml``.
    """
    both = front(findings)
    said = {**both.to_json(), "first_made": first(findings), **figures(findings)}
    words = ("knee", *both.objectives) if both.rows else ()
    picked = {which: pick(both, which) for which in words}
    return {
        "candidates.csv": _table(findings).to_csv(),
        "posthoc.json": json.dumps(said, indent=2) + "\n",
        **{f"best/{w}.yaml": _configuration(findings, n, directory, w) for w, n in picked.items()},
    }


class _Entry(NamedTuple):
    """A candidate of the study, or an average made."""

    metrics: dict[str, float]
    config: dict[str, Any]
    knobs: dict[str, Any]


def _every(findings: Findings) -> dict[int, _Entry]:
    """By number, whatever has metrics."""
    history = findings.history
    asked = {c: history.candidates[c] for c in sorted(history.in_state("complete"))}
    known = {c: _Entry(history.outcomes[c].values, a.config, a.knobs) for c, a in asked.items()}
    made = dict(enumerate(findings.made, first(findings)))
    return known | {n: _Entry(m.metrics, m.config, m.knobs) for n, m in made.items() if m.metrics}


def _size(error: dict[str, float]) -> str:
    return f"{error['rms']:.2g} (at most {error['max']:.2g})"


def _table(findings: Findings) -> pd.DataFrame:
    """One row for each average made: its student, its metrics, the error expected, its knobs."""
    on = {row.candidate for row in front(findings).rows}
    rows = {
        n: {
            "on_front": n in on,
            "student_of": m.like,
            **m.metrics,
            "expected_error": m.error,
            **m.knobs,
        }
        for n, m in enumerate(findings.made, first(findings))
    }
    return pd.DataFrame.from_dict(rows, orient="index", dtype=object).rename_axis("number")


def _configuration(findings: Findings, number: int, directory: Path, which: str) -> str:
    history, study = findings.history, findings.file
    if number < first(findings):
        return export.export(history, study, number, directory)
    made = findings.made[number - first(findings)]
    said = export.configuration(
        study,
        made.config,
        seed=history.jobs[history.job_of[made.like]].seed,
        provenance={
            "study": history.opened.name,
            "ledger": f"{history.opened.name} {history.opened.created}",
            "folder": str(directory),
            "made_of_snapshots": {
                "student_of": made.like,
                "values": made.metrics,
                "rows": [list(row) for row in made.rows],
                "expected_error": made.error,
            },
        },
    )
    head = HEAD.format(like=made.like, name=history.opened.name, which=which)
    return head + export.dump(said)
