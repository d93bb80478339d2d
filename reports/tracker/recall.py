"""Recall: what an MLflow store holds of candidates, as a study can begin with it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.tracker.mirror import open_client, runs_of
from reports.tracker.names import flat, params, safe, text
from reports.tracker.rows import CANDIDATE, PARENT, REPEATS, SEED, STATE
from reports.tracker.stores import check, sqlite_path, without_password
from search.warm_starts import MISSING, OTHERS, OUTSIDE, Remembered
from spaces.domains import Choice
from spaces.problems import SpecError
from spaces.space import knob_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from search.studyfile import StudyFile
    from search.warm_starts import Store
    from spaces.problems import Path
    from spaces.space import Domain


def recall(file: StudyFile, store: Store) -> Iterator[Remembered]:
    """The complete candidates of all studies in an experiment, as the study of ``file`` sees them.

    Of one that was repeated with further seeds it is the means that are told, as by its ledger.
    Raises SpecError if the store or the experiment cannot be read.
    """
    where = f"{file.source}: warm_start.mlflow"
    check(store.uri)
    database = sqlite_path(store.uri)
    if database is not None and not database.exists():
        raise SpecError([f"{where}.uri: there is no database {database}"])
    client = open_client(store.uri)
    found = client.get_experiment_by_name(store.experiment)
    if found is None:
        shown = without_password(store.uri)
        raise SpecError([f"{where}.experiment: {shown} has none called {store.experiment!r}"])
    for first, *further in _complete(client, found.experiment_id):
        yield _remembered(file, first.data.params, [r.data.metrics for r in (first, *further)])


def _complete(client: MlflowClient, experiment: str) -> Iterator[list[Run]]:
    """Each complete candidate and its repeats, but for those of which a seed failed."""
    complete, failed = (
        list(runs_of(client, experiment, STATE, state)) for state in ("complete", "failed")
    )
    without = {_first(run) for run in failed}
    further: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in complete:
        if REPEATS in run.data.tags:
            further[_first(run)].append(run)
    for run in complete:
        if REPEATS not in run.data.tags and _first(run) not in without:
            yield [run, *further[_first(run)]]


def _first(run: Run) -> tuple[str, str]:
    """The study of a candidate, and the number of it or of the one that it repeats."""
    tags = run.data.tags
    return tags.get(PARENT, ""), tags.get(REPEATS, tags.get(CANDIDATE, ""))


def _remembered(
    file: StudyFile, written: Mapping[str, str], metrics: Sequence[Mapping[str, float]]
) -> Remembered:
    """``metrics`` of each of its trainings, of which the mean counts."""
    known = [n for n in file.goals.names if all(safe(n) in found for found in metrics)]
    values = {n: float(np.mean([found[safe(n)] for found in metrics])) for n in known}
    knobs: dict[str, Any] = {}

    def pick(path: Path, domain: Domain) -> Any:
        name = knob_name(path)
        value = _read(path, domain, written[safe(name)])
        if not domain.holds(value):
            raise ValueError(f"a knob's value is inside its domain, got {value=} {domain=}")
        knobs[name] = value
        return value

    why = ""
    try:
        _, filled = file.space.draw(pick)
    except (KeyError, ValueError):
        why = OUTSIDE
    else:
        if params(knobs | flat("", filled)) != {n: v for n, v in written.items() if n != SEED}:
            why = OTHERS
    if len(values) < len(file.goals.names):
        why = MISSING
    return Remembered(knobs=knobs, values=values, why=why)


def _read(path: Path, domain: Domain, said: str) -> Any:
    """The value of a knob. A choice of the recipe's own is told by its option where that is plain."""
    if isinstance(domain, Choice) and not any(isinstance(part, int) for part in path):
        options = [text(option) for option in domain.options]
        if said in options:
            return options.index(said)
    return json.loads(said)
