"""The front as a reader wants it: its rows, its volume, and how it grew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.knobs import knobs_of, settings
from search import folders
from search.history import History
from spaces.fronts import hypervolume, non_dominated

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

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
        if on[-1] and goals.feasible(history.final(candidate)):
            kept = grown[on]
            volume = hypervolume(kept, objectives.reference_cost)
        steps.append((candidate, history.outcomes[candidate].at, volume))
    return steps


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
