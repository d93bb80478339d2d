"""The front as a reader wants it: its rows, its volume, and which of its candidates to take."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from reports.knobs import knobs_of, sentence, settings
from search import folders
from search.history import History
from spaces.fronts import hypervolume, non_dominated
from spaces.specs import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from search.studyfile import StudyFile
    from spaces.objectives import Objectives


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate of the front: its objectives, its recipe and averager, its knobs as text."""

    candidate: int
    values: dict[str, float]
    config: dict[str, Any]
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Front:
    """Full-stream candidates that no other beats on every objective, best on the first one first.

    ``objectives`` and ``reference`` are by name, in the user's units; ``states`` says what became
    of every candidate of the study, on the front or not.
    """

    objectives: dict[str, str]
    reference: dict[str, float]
    hypervolume: float
    rows: tuple[Row, ...]
    states: dict[int, str]

    def to_json(self) -> dict[str, Any]:
        """Keys ``objectives``, ``reference``, ``hypervolume`` and ``front``, of plain values."""
        return {
            "objectives": dict(self.objectives),
            "reference": dict(self.reference),
            "hypervolume": self.hypervolume,
            "front": [
                {"candidate": r.candidate, "values": r.values, "config": r.config}
                for r in self.rows
            ],
        }

    def costs(self) -> np.ndarray:
        """What is to be minimised, each objective on [0, 1] over the front. Float64 [rows, o]."""
        raw = np.array(
            [
                [-r.values[n] if d == "max" else r.values[n] for n, d in self.objectives.items()]
                for r in self.rows
            ],
            dtype=np.float64,
        ).reshape(len(self.rows), len(self.objectives))
        if not self.rows:
            return raw
        span = np.ptp(raw, axis=0)
        return (raw - raw.min(axis=0)) / np.where(span > 0, span, 1)


def load(directory: Path) -> Front:
    """The front of the study in ``directory``. Raises SpecError if there is none."""
    return of(*folders.load(directory))


def of(history: History, study: StudyFile) -> Front:
    """The front of the candidates that are complete by now."""
    objectives = study.objectives
    knobs = knobs_of(study.space.knobs())
    on = history.front(objectives)
    values = history.values(on, objectives.names)
    order = np.argsort(objectives.costs(values)[:, 0], kind="stable")
    rows = [
        Row(
            candidate=on[i],
            values=dict(zip(objectives.names, map(float, values[i]), strict=True)),
            config=history.candidates[on[i]].config,
            settings=settings(knobs, history.candidates[on[i]].knobs),
        )
        for i in order
    ]
    return Front(
        objectives=dict(zip(objectives.names, objectives.directions, strict=True)),
        reference=dict(zip(objectives.names, map(float, objectives.reference), strict=True)),
        hypervolume=history.hypervolume(objectives),
        rows=tuple(rows),
        states={c: _state(history, c) for c in sorted(history.candidates)},
    )


def pick(front: Front, which: str) -> int:
    """The candidate that ``which`` asks for: ``knee``, the name of an objective, or a number.

    An objective's name takes the best on it. The knee of two objectives is the row farthest
    beyond the chord between the two ends of the front, both objectives on [0, 1] (Das, 1999: the
    bulge of the boundary); of three and more the row nearest to the ideal point. A number is that
    candidate, on the front or not, if it is complete. Raises SpecError for anything else.
    """
    if which.isdigit():
        return _complete(front, int(which))
    words = ("knee", *front.objectives)
    if which not in words:
        close = get_close_matches(which, words, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(words)}"
        raise SpecError([f"pick {which!r}: not a candidate's number ({meant})"])
    if not front.rows:
        raise SpecError([f"pick {which!r}: the front is empty: no candidate is complete"])
    costs = front.costs()
    if which != "knee":
        column = costs[:, list(front.objectives).index(which)]
    elif len(front.objectives) == 2:
        column = costs.sum(axis=1)  # the chord is the line where the two costs sum to 1
    else:
        column = np.linalg.norm(costs, axis=1)
    return front.rows[int(np.argmin(column.round(12)))].candidate


def progress(history: History, objectives: Objectives) -> list[tuple[int, float, float]]:
    """(candidate, study seconds, hypervolume) as candidates became complete, in that order."""
    kept = np.empty((0, len(objectives.names)))
    steps: list[tuple[int, float, float]] = []
    volume = 0.0
    for candidate in history.in_state("complete"):
        cost = objectives.costs(history.values([candidate], objectives.names))
        grown = np.concatenate([kept, cost])
        on = non_dominated(grown)
        if on[-1]:
            kept = grown[on]
            volume = hypervolume(kept, objectives.reference_cost)
        steps.append((candidate, history.outcomes[candidate].at, volume))
    return steps


def render_table(front: Front, console: Console) -> None:
    """The front within the console's width, and what the picked ones are made of.

    A row has the candidate, its objectives, what was chosen for it, and in ``pick`` the word that
    names it in ``equipoise export --pick``.
    """
    if not front.rows:
        console.print("The front is empty: no candidate has finished the whole stream.")
        return
    marks, same = picks(front), shared(front)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("candidate", justify="right", no_wrap=True)
    for name, direction in front.objectives.items():
        table.add_column(f"{name} {arrow(direction)}", justify="right", no_wrap=True)
    table.add_column("pick", style="bold")
    table.add_column("made of")
    for row in front.rows:
        chosen = [v for k, v in row.settings.items() if k not in same and not _is_number(v)]
        values = [f"{row.values[n]:.4f}" for n in front.objectives]
        mark = marks.get(row.candidate, "")
        table.add_row(str(row.candidate), *values, mark, " · ".join(chosen))
    console.print(table)
    for row in front.rows:
        if row.candidate in marks:
            told = sentence({k: v for k, v in row.settings.items() if k not in same})
            console.print(f"[bold]{marks[row.candidate]}[/bold] ({row.candidate}): {told}")
    if same:
        console.print(f"all of them: {sentence(same)}", style="dim")
    reference = ", ".join(f"{v:g}" for v in front.reference.values())
    console.print(f"hypervolume {front.hypervolume:.4f} (reference {reference})")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def shared(front: Front) -> dict[str, str]:
    """The settings that all rows have in common; none where there is but one row."""
    first, *rest = front.rows
    return {
        k: v
        for k, v in first.settings.items()
        if rest and all(r.settings.get(k) == v for r in rest)
    }


def arrow(direction: str) -> str:
    """Up where more is better, down where less is."""
    return "↑" if direction == "max" else "↓"


def picks(front: Front) -> dict[int, str]:
    """The words that pick a candidate of the front."""
    marks: dict[int, str] = {}
    for name in ("knee", *front.objectives):
        candidate = pick(front, name)
        marks[candidate] = f"{marks[candidate]}, {name}" if candidate in marks else name
    return marks


def _complete(front: Front, candidate: int) -> int:
    state = front.states.get(candidate)
    if state == "complete":
        return candidate
    what = f"is {state}" if state else "does not exist"
    on = ", ".join(str(r.candidate) for r in front.rows) or "empty"
    raise SpecError(
        [f"candidate {candidate} {what}; only complete ones can be picked (front: {on})"]
    )


def _state(history: History, candidate: int) -> str:
    outcome = history.outcomes.get(candidate)
    return outcome.state if outcome else "running"
