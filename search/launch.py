"""Launching and resuming: from a study file to a folder that holds everything it found.

from search.launch import launch
from reports.fronts import load

directory = launch("digits-frontier", overrides=["budget.candidates=64"])
print(load(directory).to_json())
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reports import tracker
from search import preflight, studyfile
from search.engines import local
from search.events import Opened, Resumed
from search.folders import PICTURES, load
from search.history import History
from search.imports import uncollected
from search.ledger import Ledger
from search.room import check_room, room
from search.study import Study
from search.warm_starts import warmth_of
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from search.preflight import Engine
    from search.room import Room
    from search.studyfile import StudyFile

Watch: TypeAlias = "Callable[[Study], None]"
Drive: TypeAlias = "Callable[[Study, Callable[[], None]], None]"


def unwatched(study: Study) -> None:
    """Shows nothing."""


LIBRARIES = ("equipoise", "ray", "optuna", "mlflow", "torch", "llvmlite", "numpy", "scikit-learn")


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
    called with the study when it begins, when it ends and whenever something was measured. Raises SpecError for what the user can
    mend: nothing has been written then.
    """
    started = time.monotonic()
    file = studyfile.read(study, overrides)
    directory = (directory or _default_directory(file.name)).absolute()
    preflight.check_new(directory)
    tracker.check(tracker.tracking_uri(file, directory))
    warmth = warmth_of(file, tracker.recall)
    opened = Opened(
        name=file.name,
        text=file.text,
        overrides=tuple(overrides),
        source=file.source,
        versions=versions(),
        git=git_state(),
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        known=warmth.known,
        left_out=dict(warmth.left_out),
    )
    with _ready(file, engine, address) as (drive, held):
        check_room(file, held)
        with Ledger.create(directory, opened) as ledger:
            (directory / "study.yaml").write_text(file.text, encoding="utf-8")
            _run(Study(file, ledger, History(opened), _clock(started), held), drive, watch)
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
    started, directory = time.monotonic(), directory.absolute()
    with Ledger.open(directory) as ledger:
        history, file = load(directory)
        if history.ended is not None:
            done = f"this study is finished ({history.drawn} candidates)"
            raise SpecError([f"{directory}: {done}; see `equipoise front {directory}`"])
        tracker.check(tracker.tracking_uri(file, directory))
        with _ready(file, engine, address) as (drive, held):
            resumed = Resumed(at=history.seconds, versions=versions(), git=git_state())
            ledger.append(resumed)
            history.add(resumed)
            now = _clock(started - history.seconds)
            _run(Study(file, ledger, history, now, held), drive, watch)


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


@contextmanager
def _ready(file: StudyFile, engine: Engine, address: str | None) -> Iterator[tuple[Drive, Room]]:
    """What runs the study, ready to: a cluster that is found, or started, and can hold a job.

    And how much memory that job may take there.
    """
    preflight.check_engine(file, engine, address)
    if engine == "local":
        yield local.drive, room(file)
        return
    with uncollected():
        from search.engines import clusters, ray_tune  # noqa: PLC0415 - a second to import, and not always needed

    with clusters.cluster(address):
        clusters.slots(file.resources)
        yield ray_tune.drive, ray_tune.room_there(file, address)


def _clock(start: float) -> Callable[[], float]:
    return lambda: time.monotonic() - start


def _run(study: Study, drive: Drive, watch: Watch) -> None:
    with _tracked(study.directory), unswept():
        watch(study)
        drive(study, lambda: watch(study))
        study.end()
        watch(study)


SWEEP = 5000
"""After so many new objects they are looked through for garbage."""


@contextmanager
def unswept() -> Iterator[None]:
    """What is there by now is not looked through for garbage again until the end.

    Nor is what a full collection leaves: a study's records stay. Libraries are a million objects that do,
    too. To go through all of them every few hundred candidates was a third of what asking and telling
    cost, to go through records again and again a fifth (``benchmarks/asking.py``). What smaller collections leave
    may yet go, and is not kept.
    """
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(SWEEP, *before[1:])
    gc.callbacks.append(_keep)
    try:
        yield
    finally:
        gc.callbacks.remove(_keep)
        gc.set_threshold(*before)
        gc.unfreeze()


def _keep(phase: str, collection: Mapping[str, int]) -> None:
    if phase == "stop" and collection["generation"] == 2:
        gc.freeze()


NICENESS = 10


@contextmanager
def _tracked(directory: Path) -> Iterator[None]:
    """MLflow is fed from the ledger by a process of its own, which can neither slow nor stop us."""
    # -P: a user's folder may have a `reports` of its own. A group of its own: Ctrl-C is for us.
    command = [sys.executable, "-P", "-m", "reports.tracker", str(directory), "--follow"]
    command += ["--parent", str(os.getpid())]
    with subprocess.Popen(command, process_group=0) as process:  # noqa: S603 - our own words
        # From its first moment: it imports PyTorch and MLflow just when workers do.
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            yield
        except BaseException:
            process.terminate()  # it would wait for us, and we for it
            raise
        if process.wait() != 0:
            from reports import artifacts  # noqa: PLC0415 - rarely needed, slow to import

            artifacts.write(directory, directory / PICTURES)


def _default_directory(name: str) -> Path:
    return Path("runs") / f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
