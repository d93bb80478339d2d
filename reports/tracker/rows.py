"""Rows: what MLflow should hold of a study, as a pure function of its history.

Every number has its time from the ledger, so that writing a row twice is writing it once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from reports.tracker.names import LONGEST_TAG, cut, flat, params, safe
from reports.verdicts import sentence
from search.anchors import ANCHOR
from search.events import encode
from search.verdicts import findings
from spaces.writing import flow
from trainables.metrics import BY_TASK, PREFIX
from trainables.metrics.curves import points

if TYPE_CHECKING:
    from pathlib import Path

    from search.events import Opened, Outcome
    from search.goals import Goals
    from search.history import History
    from search.studyfile import StudyFile

Status: TypeAlias = Literal["RUNNING", "FINISHED", "KILLED", "FAILED"]

PARENT = "mlflow.parentRunId"
STUDY = "equipoise.study"
CANDIDATE = "equipoise.candidate"
STATE = "equipoise.state"
REPEATS = "equipoise.repeats"
PARETO = "pareto"
FEASIBLE = "feasible"
SEED = "seed"
"""The parameter of a candidate's run that is its job's, and not among what the candidate is."""

STATUSES: dict[str, Status] = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
_SETTINGS = (
    "seed",
    "scenario",
    "objectives",
    "metrics",
    "evaluate",
    "sampler",
    "budget",
    "rungs",
    "repeats",
    "fold",
    "resources",
    "device",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric; ``at`` in milliseconds since 1970."""

    key: str
    value: float
    step: int
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One run, but for its standing. ``start`` and ``end`` are as ``Point.at``."""

    name: str
    tags: dict[str, str]
    params: dict[str, str]
    points: list[Point] = field(default_factory=list)
    status: Status = "RUNNING"
    start: int
    end: int | None = None


def identity(opened: Opened) -> str:
    """What tells this study from every other in a store that many share, wherever its folder is."""
    told = json.dumps(encode(opened), sort_keys=True)
    return f"{opened.name}-{sha256(told.encode(errors='replace')).hexdigest()[:16]}"


def moment(opened: Opened, at: float) -> int:
    """Milliseconds since 1970 at ``at`` seconds of study time."""
    created = datetime.fromisoformat(opened.created or "1970-01-01T00:00:00+00:00")
    if created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    return round((created.timestamp() + at) * 1000)


def study_row(history: History, study: StudyFile, directory: Path) -> Row:
    """The parent. Its points come from ``Curve``."""
    opened = history.opened
    versions = {f"equipoise.version.{k}": v for k, v in opened.versions.items()}
    tags = {
        STUDY: identity(opened),
        "equipoise.directory": str(directory),
        "equipoise.git": opened.git or "none",
        "mlflow.source.name": "equipoise",
        "mlflow.source.type": "LOCAL",
        **versions,
    }
    settings: dict[str, Any] = {}
    for name in _SETTINGS:
        settings |= flat(name, getattr(study, name))
    settings |= flat("constraints", study.constraints.told())
    settings |= flat("preferences", study.preferences.told())
    domains = {f"space.{name}": flow(domain) for name, domain in study.space.knobs().items()}
    return Row(
        name=opened.name,
        tags=_tags(tags),
        params=params(settings | domains),
        start=moment(opened, 0.0),
    )


def counts_tags(history: History) -> dict[str, str]:
    """How many candidates are in which state, as the parent's tags."""
    return {f"equipoise.{state}": str(n) for state, n in history.counts().items()}


def claims_tags(history: History, study: StudyFile) -> dict[str, str]:
    """Each claim's verdict and figures, as the parent's tags, numbered from 0."""
    found = enumerate(findings(history, study))
    return _tags(
        {f"equipoise.claim.{i}": f"{sentence(f)} ({f.source}: {f.says})" for i, f in found}
    )


def standings(history: History, goals: Goals) -> dict[int, dict[str, str]]:
    """The tags of candidates with an outcome that later outcomes may change.

    ``pareto``: whether it is on the front. ``feasible``, of those that are complete in a study with
    constraints: whether it keeps them, by what the front is made of, which of a candidate with
    further seeds are the means; ``unknown`` if one of these failed. A repeat is judged by its own.
    """
    front, feasible = set(history.front(goals)), set(history.feasible(goals))
    finals = history.finals()

    def kept(candidate: int) -> str:
        if not history.is_drawn(candidate):
            return _yes_no(goals.feasible(history.outcomes[candidate].values))
        return _yes_no(candidate in feasible) if candidate in finals else "unknown"

    found = {c: {PARETO: _yes_no(c in front)} for c in history.outcomes}
    if goals.constraints:
        for c, outcome in history.outcomes.items():
            if outcome.state == "complete":
                found[c][FEASIBLE] = kept(c)
    return found


def candidate_row(history: History, candidate: int, *, tasks: int, parent: str) -> Row:
    """The run of a candidate that has its outcome. ``parent`` is the id of the study's run."""
    asked, outcome = history.candidates[candidate], history.outcomes[candidate]
    job = history.job_of.get(candidate)
    tags = {
        PARENT: parent,
        CANDIDATE: str(candidate),
        STATE: outcome.state,
        "fidelity": _fidelity(history, outcome, tasks),
        "mlflow.source.name": "equipoise",
        "mlflow.source.type": "LOCAL",
    }
    if job is not None:
        tags["equipoise.job"] = str(job)
    if ANCHOR in asked.attrs:
        tags["equipoise.anchor"] = asked.attrs[ANCHOR]
    if asked.repeats is not None:
        tags[REPEATS] = str(asked.repeats)
    if outcome.reason is not None:
        tags["equipoise.reason"] = outcome.reason
    # The configuration says what was trained; a knob of the same name may be an option's number.
    settings = {**asked.knobs, **flat("", asked.config)}
    if job is not None:
        settings[SEED] = history.jobs[job].seed
    return Row(
        name=f"candidate-{candidate:04d}",
        tags=_tags(tags),
        params=params(settings),
        points=[*_stream(history, candidate), *_final(history.opened, outcome)],
        status=STATUSES[outcome.state],
        start=moment(history.opened, _began(history, outcome)),
        end=moment(history.opened, outcome.at),
    )


def _yes_no(so: object) -> str:
    return "true" if so else "false"


def _tags(tags: dict[str, str]) -> dict[str, str]:
    return {safe(name): cut(value, LONGEST_TAG) for name, value in tags.items()}


def _fidelity(history: History, outcome: Outcome, tasks: int) -> str:
    """``full``, or the tasks that it finished of the tasks that there are."""
    if outcome.state == "complete":
        return "full"
    return f"{len(history.records[outcome.candidate])}/{tasks}"


def _began(history: History, outcome: Outcome) -> float:
    """Seconds of study time; a candidate begins when its first task does."""
    records = history.records[outcome.candidate]
    first = min((r.at - r.seconds for r in records.values()), default=outcome.at)
    return min(max(first, 0.0), outcome.at)


def _stream(history: History, candidate: int) -> list[Point]:
    """What was measured, by task where it is of tasks, and seconds so far; steps are tasks learnt."""
    found: list[Point] = []
    seconds = 0.0
    records = history.records[candidate]
    for task in sorted(records):
        record, at = records[task], moment(history.opened, records[task].at)
        seconds += record.seconds
        found += [Point(f"accuracy/task_{i}", a, task, at) for i, a in enumerate(record.accuracy)]
        for name, values in record.measures.items():
            if name.removeprefix(PREFIX) == "curve":
                found += _curve(f"{name}/task", values, task, at)
            else:
                found += [Point(key, value, task, at) for key, value in _keys(name, values)]
        found.append(Point("seconds", seconds, task, at))
    return found


def _curve(name: str, flat: tuple[float, ...], task: int, at: int) -> list[Point]:
    """Accuracies between the ends of tasks; steps are the stream's."""
    seen = points(flat, task)
    return [Point(f"{name}_{i}", a, int(step), at) for step, *of in seen for i, a in enumerate(of)]


def _keys(name: str, values: tuple[float, ...]) -> list[tuple[str, float]]:
    if name.removeprefix(PREFIX) in BY_TASK:
        return [(f"{name}/task_{i}", value) for i, value in enumerate(values)]
    return [(f"measured/{name}", value) for value in values]


def _final(opened: Opened, outcome: Outcome) -> list[Point]:
    """What a stream cut short scored is called ``partial/``: it compares with no full stream's."""
    prefix = "" if outcome.state == "complete" else "partial/"
    at = moment(opened, outcome.at)
    return [Point(safe(prefix + n), v, outcome.task, at) for n, v in outcome.values.items()]
