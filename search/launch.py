"""Launching and resuming: from a study file to a folder that holds everything it found.

from search.launch import launch
from reports.fronts import load

directory = launch("digits-frontier", overrides=["budget.candidates=64"])
print(load(directory).to_json())
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from reports import artifacts, tracker
from search import studyfile
from search.engines import local
from search.events import Opened, Resumed
from search.folders import PICTURES, load
from search.history import History
from search.ledger import Ledger
from search.study import Study
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from search.studyfile import StudyFile

Engine: TypeAlias = Literal["ray", "local"]
Watch: TypeAlias = "Callable[[Study], None]"


def unwatched(study: Study) -> None:
    """Shows nothing."""


LIBRARIES = ("equipoise", "ray", "optuna", "mlflow", "torch", "numpy", "scikit-learn")


def launch(
    study: str | Path,
    *,
    directory: Path | None = None,
    engine: Engine = "ray",
    address: str | None = None,
    overrides: Sequence[str] = (),
    watch: Watch = unwatched,
) -> Path:
    """Runs a study from beginning to end. Its folder (default ``runs/NAME-TIMESTAMP``).

    ``study`` is a path or the name of a shipped one; ``overrides`` are ``a.b=value``; ``watch`` is
    called with the study whenever something was measured. Raises SpecError for what the user can
    mend: nothing has been written then.
    """
    file = studyfile.read(study, overrides)
    directory = (directory or _default_directory(file.name)).absolute()
    tracker.check(tracker.tracking_uri(file, directory))
    opened = Opened(
        name=file.name,
        text=file.text,
        overrides=tuple(overrides),
        source=file.source,
        versions=versions(),
        git=git_state(),
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    with Ledger.create(directory, opened) as ledger:
        (directory / "study.yaml").write_text(file.text)
        _run(file, ledger, History(opened), engine=engine, address=address, watch=watch)
    return directory


def resume(
    directory: Path,
    *,
    engine: Engine = "ray",
    address: str | None = None,
    watch: Watch = unwatched,
) -> None:
    """Goes on with a study whose driver died or was stopped, from its ledger alone.

    Raises SpecError if the folder is not a study's, another process runs it, or it is finished.
    """
    directory = directory.absolute()
    with Ledger.open(directory) as ledger:
        history, file = load(directory)
        if history.ended is not None:
            done = f"this study is finished ({len(history.candidates)} candidates)"
            raise SpecError([f"{directory}: {done}; see `equipoise front {directory}`"])
        tracker.check(tracker.tracking_uri(file, directory))
        resumed = Resumed(at=history.seconds, versions=versions(), git=git_state())
        ledger.append(resumed)
        history.add(resumed)
        _run(file, ledger, history, engine=engine, address=address, watch=watch)


def versions() -> dict[str, str]:
    """What a result may depend on."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in LIBRARIES}}


def git_state() -> str | None:
    """The commit of the folder that the command was given in, ``-dirty`` if changed; or None."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _run(
    file: StudyFile,
    ledger: Ledger,
    history: History,
    *,
    engine: Engine,
    address: str | None,
    watch: Watch,
) -> None:
    start, before = time.monotonic(), history.seconds
    study = Study(file, ledger, history, lambda: before + time.monotonic() - start)
    with _tracked(ledger.directory):
        _drive(study, engine, address, lambda: watch(study))
        study.end()
        watch(study)


def _drive(study: Study, engine: Engine, address: str | None, watch: Callable[[], None]) -> None:
    if engine == "local":
        local.drive(study, watch)
        return
    from search.engines import ray_tune  # noqa: PLC0415 - a second to import, and not always needed

    ray_tune.drive(study, watch, address=address)


@contextmanager
def _tracked(directory: Path) -> Iterator[None]:
    """MLflow is fed from the ledger by a process of its own, which can neither slow nor stop us."""
    # -P: a user's folder may have a `reports` of its own. A group of its own: Ctrl-C is for us.
    command = [sys.executable, "-P", "-m", "reports.tracker", str(directory), "--follow"]
    command += ["--parent", str(os.getpid())]
    with subprocess.Popen(command, process_group=0) as process:  # noqa: S603 - our own words
        try:
            yield
        except BaseException:
            process.terminate()  # it would wait for us, and we for it
            raise
        if process.wait() != 0:
            artifacts.write(directory, directory / PICTURES)


def _default_directory(name: str) -> Path:
    return Path("runs") / f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
