"""The front as a reader wants it: its rows, its volume, and which of its candidates to take."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from rich.console import Console

    from search.goals import Goals
    from search.studyfile import StudyFile


UNFINISHED = "no candidate has finished the whole stream"


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate of the front: its objectives, its recipe and averager, its knobs as text.

    Of one that was repeated the values are means over its ``seeds``, with their standard errors.
    """

    candidate: int
    values: dict[str, float]
    config: dict[str, Any]
    settings: dict[str, str]
    seeds: int = 1
    errors: dict[str, float] = field(default_factory=dict)

    def told(self, name: str) -> str:
        """An objective as a reader is shown it."""
        error = f" ± {self.errors[name]:.4f}" if self.errors else ""
        return f"{self.values[name]:.4f}{error}"

    def to_json(self) -> dict[str, Any]:
        """Plain values; of one that was repeated, with ``seeds`` and ``standard_errors``."""
        repeated = {"seeds": self.seeds, "standard_errors": self.errors} if self.errors else {}
        said = {"candidate": self.candidate, "values": self.values, "config": self.config}
        return said | repeated


@dataclass(frozen=True, slots=True)
class Front:
    """Full-stream candidates that no other beats on every objective, best on the first one first.

    ``objectives`` and ``reference`` are by name, in the user's units; ``states`` says what became
    of every candidate of the study, on the front or not. ``constraints`` and ``preferences`` are as
    the study says them; ``infeasible`` has what each complete candidate that is not feasible breaks,
    and ``preferred`` the candidates that the knee is one of (None: all). ``lacking`` says why there
    are no rows.
    """

    objectives: dict[str, str]
    reference: dict[str, float]
    hypervolume: float
    rows: tuple[Row, ...]
    states: dict[int, str]
    constraints: dict[str, str] = field(default_factory=dict)
    preferences: dict[str, list[float]] = field(default_factory=dict)
    infeasible: dict[int, str] = field(default_factory=dict)
    preferred: frozenset[int] | None = None
    lacking: str = UNFINISHED

    def is_preferred(self, candidate: int) -> bool:
        """Whether the knee may be ``candidate``."""
        return self.preferred is None or candidate in self.preferred

    def to_json(self) -> dict[str, Any]:
        """Keys ``objectives``, ``reference``, ``hypervolume`` and ``front``, of plain values.

        Also ``constraints`` and how many are ``infeasible``, or ``preferences``, if there are any.
        """
        limits: dict[str, Any] = {}
        if self.constraints:
            limits |= {"constraints": dict(self.constraints), "infeasible": len(self.infeasible)}
        if self.preferences:
            limits |= {"preferences": dict(self.preferences)}
        return {
            "objectives": dict(self.objectives),
            **limits,
            "reference": dict(self.reference),
            "hypervolume": self.hypervolume,
            "front": [row.to_json() for row in self.rows],
        }

    def costs(self, rows: Sequence[Row]) -> np.ndarray:
        """What is to be minimised, each objective on [0, 1] over ``rows``. Float64 [rows, o]."""
        raw = np.array(
            [
                [-r.values[n] if d == "max" else r.values[n] for n, d in self.objectives.items()]
                for r in rows
            ],
            dtype=np.float64,
        ).reshape(len(rows), len(self.objectives))
        if not rows:
            return raw
        span = np.ptp(raw, axis=0)
        return (raw - raw.min(axis=0)) / np.where(span > 0, span, 1)


def load(directory: Path) -> Front:
    """The front of the study in ``directory``. Raises SpecError if there is none."""
    return of(*folders.load(directory))


def of(history: History, study: StudyFile) -> Front:
    """The front of the candidates that are complete by now and keep the constraints."""
    objectives, goals = study.objectives, study.goals
    knobs = knobs_of(study.space.knobs())
    infeasible = _infeasible(history, goals)
    on = history.front(goals)
    values = history.values(on, objectives.names)
    order = np.argsort(objectives.costs(values)[:, 0], kind="stable")
    rows = [
        Row(
            candidate=on[i],
            values=dict(zip(objectives.names, map(float, values[i]), strict=True)),
            config=history.candidates[on[i]].config,
            settings=settings(knobs, history.candidates[on[i]].knobs),
            seeds=len(history.all_values(on[i], objectives.names)),
            errors=history.errors(on[i], objectives.names),
        )
        for i in order
    ]
    return Front(
        objectives=dict(zip(objectives.names, objectives.directions, strict=True)),
        reference=dict(zip(objectives.names, map(float, objectives.reference), strict=True)),
        hypervolume=history.hypervolume(goals),
        rows=tuple(rows),
        states={c: _state(history, infeasible, c) for c in sorted(history.candidates)},
        constraints=goals.constraints.told(),
        preferences=goals.preferences.told(),
        infeasible=infeasible,
        preferred=preferred(goals, rows),
        lacking=goals.unmet(history.finals()) or UNFINISHED,
    )


def pick(front: Front, which: str) -> int:
    """The candidate that ``which`` asks for: ``knee``, the name of an objective, or a number.

    An objective's name takes the best on it. The knee is one of those in the region that the study
    prefers, or nearest to it if none is in it. That of two objectives is the row farthest
    beyond the chord between the two ends of these, both objectives on [0, 1] (Das, 1999: the
    bulge of the boundary); of three and more the row nearest to the ideal point. A number is that
    candidate, on the front or not, if it is complete and feasible. Raises SpecError for anything else.
    """
    if which.isdigit():
        return _complete(front, int(which))
    words = ("knee", *front.objectives)
    if which not in words:
        close = get_close_matches(which, words, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(words)}"
        raise SpecError([f"pick {which!r}: not a candidate's number ({meant})"])
    if not front.rows:
        raise SpecError([f"pick {which!r}: the front is empty: {front.lacking}"])
    rows = [r for r in front.rows if which != "knee" or front.is_preferred(r.candidate)]
    costs = front.costs(rows)
    if which != "knee":
        column = costs[:, list(front.objectives).index(which)]
    elif len(front.objectives) == 2:
        column = costs.sum(axis=1)  # the chord is the line where the two costs sum to 1
    else:
        column = np.linalg.norm(costs, axis=1)
    return rows[int(np.argmin(column.round(12)))].candidate


def progress(history: History, goals: Goals) -> list[tuple[int, float, float]]:
    """(candidate, study seconds, hypervolume) as candidates became complete, in that order."""
    objectives = goals.objectives
    kept = np.empty((0, len(objectives.names)))
    steps: list[tuple[int, float, float]] = []
    volume = 0.0
    for candidate in history.in_state("complete"):
        cost = objectives.costs(history.values([candidate], objectives.names))
        grown = np.concatenate([kept, cost])
        on = non_dominated(grown)
        if on[-1] and goals.feasible(history.outcomes[candidate].values):
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
        console.print(f"The front is empty: {front.lacking}.", soft_wrap=True, highlight=False)
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
        values = [row.told(n) for n in front.objectives]
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
    for line in [*seeds(front), *limits(front)]:
        console.print(line, soft_wrap=True, highlight=False)


def seeds(front: Front) -> list[str]:
    """In a line, over how many seeds the front's figures are, if any were repeated."""
    counts = [row.seeds for row in front.rows]
    if max(counts, default=1) == 1:
        return []
    fewest, most = min(counts), max(counts)
    said = f"{most}" if fewest == most else f"{fewest} to {most}"
    return [f"means ± standard errors over {said} seeds"]


def limits(front: Front) -> list[str]:
    """What the study's constraints and preferences made of the front, in a line each."""
    out = []
    if front.constraints:
        kept = ", ".join(f"{name} {bound}" for name, bound in front.constraints.items())
        out += [f"constraints: {kept}; infeasible, and not on the front: {len(front.infeasible)}"]
    if front.preferences:
        wished = ", ".join(
            f"{n} {low:g} to {high:g}" for n, (low, high) in front.preferences.items()
        )
        out += [f"preferred: {wished}; {_in_region(front)}"]
    return out


def _in_region(front: Front) -> str:
    """How many of the front are in the preferred region."""
    ranges = front.preferences.items()
    inside = [all(a <= r.values[n] <= b for n, (a, b) in ranges) for r in front.rows]
    if any(inside):
        return f"{sum(inside)} of the front are there, and the knee is one of them"
    return "none of the front is there, and the knee is the nearest"


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
    why = f": {front.infeasible[candidate]}" if candidate in front.infeasible else ""
    which = "complete and feasible" if front.constraints else "complete"
    raise SpecError(
        [f"candidate {candidate} {what}{why}; only {which} ones can be picked (front: {on})"]
    )


def _state(history: History, infeasible: Collection[int], candidate: int) -> str:
    outcome = history.outcomes.get(candidate)
    if candidate in infeasible:
        return "infeasible"
    return outcome.state if outcome else "running"


def _infeasible(history: History, goals: Goals) -> dict[int, str]:
    found = history.finals().items() if goals.constraints else ()
    return {c: goals.broken(values) for c, values in found if not goals.feasible(values)}


def preferred(goals: Goals, rows: Sequence[Row]) -> frozenset[int] | None:
    """Those of the front that the knee is one of; None if the study prefers none."""
    if not goals.preferences:
        return None
    return frozenset(rows[i].candidate for i in goals.nearest([r.values for r in rows]))
