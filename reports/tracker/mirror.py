"""The mirror: rows as runs of an MLflow store. The only file that imports MLflow."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from reports.tracker.curves import Curve
from reports.tracker.rows import (
    CANDIDATE,
    FEASIBLE,
    PARENT,
    PARETO,
    STUDY,
    Status,
    candidate_row,
    claims_tags,
    counts_tags,
    identity,
    moment,
    standings,
    study_row,
)
from reports.tracker.stores import sqlite_path
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from reports.tracker.rows import Point
    from search.history import History
    from search.studyfile import StudyFile

MOST_POINTS = 800
"""Of 1000 things that MLflow takes in one call, with room for as many parameters as it takes."""

MOST_PARAMS = 100
PAGE = 1000

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Unless the user says otherwise: MLflow's own patience with a dead server is minutes."""


def open_client(uri: str) -> MlflowClient:
    """A client of the store at ``uri`` that says nothing of its own."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415 - takes a second, and reads the environment

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri)


class Mirror:
    """Brings the runs of one study to where its ledger is; reads first what the store has.

    Killed between any two calls and made anew, it ends in the same store: a run is created with
    all its tags at once, is complete only when it is terminated, and every number in between has
    the ledger's time, so that writing it again changes nothing.
    """

    def __init__(
        self, client: MlflowClient, experiment: str, study: StudyFile, parent: Run
    ) -> None:
        self.experiment, self.parent = experiment, parent.info.run_id
        self.created, self.updated = 0, 0
        self._client, self._study = client, study
        self._tasks = study.scenario.clock().task_count
        self._curve = Curve(study.goals)
        self._status, self._tags = parent.info.status, dict(parent.data.tags)
        self._open: dict[int, Run] = {}
        self._standings: dict[int, tuple[str, dict[str, str]]] = {}
        for run in self._children():
            self._recall(run)

    @classmethod
    def connect(cls, uri: str, directory: Path, study: StudyFile, history: History) -> Self:
        """Finds the study's runs, or makes the parent. Raises whatever MLflow raises."""
        client = open_client(uri)
        experiment = _experiment(client, study.name, _artifacts(uri, directory))
        row = study_row(history, study, directory)
        parent, *twins = [*runs_of(client, experiment, STUDY, identity(history.opened))] or [
            client.create_run(experiment, row.start, row.tags, row.name)
        ]
        for twin in twins:
            client.delete_run(twin.info.run_id)
        missing = {n: v for n, v in row.params.items() if n not in parent.data.params}
        _log(client, parent.info.run_id, missing, [])
        return cls(client, experiment, study, parent)

    def write(self, history: History) -> None:
        """Everything that the history has and the store has not."""
        due = standings(history, self._study.goals)
        for candidate, tags in due.items():
            if candidate not in self._standings:
                self._write(history, candidate, tags)
        for candidate, (run, tags) in self._standings.items():
            for name, value in due.get(candidate, {PARETO: "false"}).items():
                if tags.get(name) != value:
                    self._client.set_tag(run, name, value)
                    tags[name] = value
                    self.updated += 1
        _log(self._client, self.parent, {}, self._curve.points(history))
        self._tag_parent(counts_tags(history))

    def settle(self, status: Status, history: History, *, why: str = "") -> None:
        """The parent's status, and why if that needs saying."""
        if status != self._status:
            if status == "RUNNING":
                self._client.update_run(self.parent, status=status)
            else:
                end = moment(history.opened, history.seconds)
                self._client.set_terminated(self.parent, status, end)
            self._status = status
        self._tag_parent({"equipoise.reason": why})
        if status != "RUNNING":
            self._tag_parent(claims_tags(history, self._study))

    @property
    def status(self) -> str:
        """The parent's, in MLflow's words."""
        return self._status

    def attach(self, directory: Path) -> None:
        """Every file in ``directory``, as the parent's artifacts; those of the same name go."""
        self._client.log_artifacts(self.parent, str(directory))

    def _children(self) -> list[Run]:
        runs = runs_of(self._client, self.experiment, PARENT, self.parent)
        found = [r for r in runs if CANDIDATE in r.data.tags]  # anyone may nest runs of his own
        return sorted(found, key=lambda r: (r.info.status == "RUNNING", r.info.run_id))

    def _recall(self, run: Run) -> None:
        """A child that the store has. A request that timed out may have been obeyed: no twins."""
        candidate = int(run.data.tags[CANDIDATE])
        if candidate in self._standings or candidate in self._open:
            self._client.delete_run(run.info.run_id)
        elif run.info.status == "RUNNING":
            self._open[candidate] = run
        else:
            self._standings[candidate] = (run.info.run_id, _standing(run))

    def _write(self, history: History, candidate: int, standing: dict[str, str]) -> None:
        row = candidate_row(history, candidate, tasks=self._tasks, parent=self.parent)
        run = self._open.pop(candidate, None)
        if run is None:
            tags = row.tags | standing
            run = self._client.create_run(self.experiment, row.start, tags, row.name)
            self.created += 1
        else:
            self.updated += 1
        missing = {n: v for n, v in row.params.items() if n not in run.data.params}
        _log(self._client, run.info.run_id, missing, row.points)
        self._client.set_terminated(run.info.run_id, row.status, row.end)
        self._standings[candidate] = (run.info.run_id, _standing(run))

    def _tag_parent(self, tags: dict[str, str]) -> None:
        for name, value in tags.items():
            if self._tags.get(name, "") != value:
                self._client.set_tag(self.parent, name, value)
                self._tags[name] = value


def _standing(run: Run) -> dict[str, str]:
    """What the store says of a candidate's standing."""
    return {name: run.data.tags[name] for name in (PARETO, FEASIBLE) if name in run.data.tags}


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name, artifacts)
    if found.lifecycle_stage != "active":
        how = f"mlflow experiments restore -x {found.experiment_id}"
        raise SpecError(
            [f"MLflow's experiment {name!r} is in the trash: `{how}`, or rename the study"]
        )
    return str(found.experiment_id)


def _artifacts(uri: str, directory: Path) -> str | None:
    """Beside the database; a server knows its own place. MLflow's default is where we happen to be."""
    if uri.partition(":")[0] in {"http", "https", "databricks"}:
        return None
    database = sqlite_path(uri)
    return ((database.parent if database else directory.absolute()) / "mlartifacts").as_uri()


def runs_of(client: MlflowClient, experiment: str, tag: str, value: str) -> Iterator[Run]:
    """Of an experiment, those whose ``tag`` has that ``value``, in the order in which they began."""
    token = None
    while True:
        found = client.search_runs(
            [experiment],
            filter_string=f"tags.`{tag}` = '{value}'",
            max_results=PAGE,
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
            page_token=token,
        )
        yield from found
        token = found.token
        if not token:
            return


def _log(client: MlflowClient, run: str, params: dict[str, str], points: Sequence[Point]) -> None:
    """In one call where MLflow's limits allow it."""
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - imported with the client

    metrics = [Metric(p.key, p.value, p.at, p.step) for p in points]
    items = [Param(n, v) for n, v in params.items()]
    while metrics or items:
        client.log_batch(run, metrics=metrics[:MOST_POINTS], params=items[:MOST_PARAMS])
        metrics, items = metrics[MOST_POINTS:], items[MOST_PARAMS:]
