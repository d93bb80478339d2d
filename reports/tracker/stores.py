"""Stores: where a study is tracked, and whether anybody is there. Imports no MLflow: fast."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
from importlib.metadata import entry_points
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.studyfile import StudyFile

PATIENCE = 5.0
"""Seconds until a server counts as unreachable."""

_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_API = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"


def tracking_uri(study: StudyFile, directory: Path) -> str:
    """The study's ``tracking:``, else MLFLOW_TRACKING_URI, else SQLite in the study's folder."""
    said = study.tracking or os.environ.get("MLFLOW_TRACKING_URI")
    return said or f"sqlite:///{directory.absolute() / 'mlflow.db'}"


def sqlite_path(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other."""
    scheme, _, rest = uri.partition(":///")
    return Path(rest) if scheme.partition("+")[0] == "sqlite" else None


def check(uri: str) -> None:
    """Raises SpecError, within a few seconds, if nothing can be tracked at ``uri``."""
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme == "sqlite":
        _check_sqlite(uri)
    elif scheme in {"http", "https"}:
        _within_patience(uri, lambda: _ask(uri))
    elif scheme in _PORTS:
        _within_patience(uri, lambda: _knock(uri, _PORTS[scheme]))
    elif scheme not in {"databricks", *_plugins()}:
        raise _refused(
            uri,
            "not a tracking store that MLflow knows; give sqlite:////absolute/path/mlflow.db, "
            "or the http:// address of an MLflow server",
        )


def _refused(uri: str, why: str) -> SpecError:
    return SpecError([f"tracking {without_password(uri)}: {why}"])


def without_password(uri: str) -> str:
    """``uri`` as it may be shown."""
    user, at, rest = uri.rpartition("@")
    return f"{user.rpartition(':')[0]}:***@{rest}" if at and user.count(":") > 1 else uri


def _plugins() -> set[str]:
    return {found.name for found in entry_points(group="mlflow.tracking_store")}


def _check_sqlite(uri: str) -> None:
    path = sqlite_path(uri)
    if path is None or not path.is_absolute() or "?" in uri:
        raise _refused(uri, "give an absolute path with no '?' in it: sqlite:////folder/mlflow.db")
    if path.exists():
        if not path.is_file() or not _is_sqlite(path):
            raise _refused(uri, "the file there is not an SQLite database")
        if not os.access(path, os.W_OK):
            raise _refused(uri, "the file there cannot be written")
    folder = next(p for p in path.parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(uri, f"the folder {folder} cannot be written")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) in {b"", b"SQLite format 3\x00"}


def _within_patience(uri: str, probe: Callable[[], None]) -> None:
    """Runs ``probe`` beside us: looking up a name can hang longer than any timeout it is given."""
    problems: list[SpecError | None] = []

    def run() -> None:
        try:
            probe()
        except SpecError as error:
            problems.append(error)
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or error
            problems.append(_refused(uri, f"cannot be reached: {why}"))
        except ValueError as error:
            problems.append(_refused(uri, f"not an address: {error}"))
        else:
            problems.append(None)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    problem = problems[0] if problems else _refused(uri, f"no answer within {PATIENCE:.0f} seconds")
    if problem is not None:
        raise problem


def _knock(uri: str, port: int) -> None:
    where = urlsplit(uri)
    with socket.create_connection((where.hostname or "localhost", where.port or port), PATIENCE):
        pass


def _ask(uri: str) -> None:
    """Asks an MLflow server for an experiment; whether it has it does not matter."""
    request = Request(uri.rstrip("/") + _API, headers=_credentials())  # noqa: S310 - only http(s) gets here
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - likewise
            _judge(uri, answer.status, answer.read(100_000))
    except HTTPError as error:
        with error:
            _judge(uri, error.code, error.read(100_000))
    except URLError as error:
        # Certificates are MLflow's matter, which has settings of its own for them.
        if not isinstance(error.reason, ssl.SSLError):
            raise


def _judge(uri: str, status: int, body: bytes) -> None:
    if status == 403 and b"Host" in body:
        raise _refused(
            uri,
            "the MLflow server does not answer to this host name; start it with "
            f"`mlflow server --allowed-hosts {urlsplit(uri).hostname}`",
        )
    if status in {401, 403}:
        return  # somebody is there; credentials are MLflow's matter, which knows many kinds
    if status >= 500 or not _is_mlflow(body):
        raise _refused(uri, f"what answers there is not an MLflow server (HTTP {status})")


def _is_mlflow(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and ("experiment" in answer or "error_code" in answer)


def _credentials() -> dict[str, str]:
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    if user is None:
        return {}
    pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
