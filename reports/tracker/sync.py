"""One pass: the store is brought to where the ledger is."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.tracker.mirror import Mirror
from reports.tracker.stores import check, tracking_uri, without_password
from search.folders import PICTURES, load
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LOCK = "tracker.lock"


@dataclass(frozen=True, slots=True)
class Synced:
    """What one pass did, and where: ``parent`` is the id of the study's run."""

    uri: str
    experiment: str
    parent: str
    runs_created: int
    runs_updated: int

    def __str__(self) -> str:
        done = f"{self.runs_created} runs created, {self.runs_updated} updated"
        return f"MLflow is up to date: {done} ({without_password(self.uri)})"


def sync(directory: Path, uri: str | None = None) -> Synced:
    """Writes to MLflow whatever the ledger in ``directory`` has and the store has not.

    Raises SpecError if the folder is not a study's, somebody else is writing its runs, or the
    store does not take them.
    """
    directory = directory.absolute()
    history, study = load(directory)
    uri = uri or tracking_uri(study, directory)
    check(uri)
    with alone(directory, fcntl.LOCK_EX | fcntl.LOCK_NB):
        try:
            mirror = Mirror.connect(uri, directory, study, history)
            mirror.write(history)
            if history.ended is not None:
                mirror.settle("FINISHED", history)
            elif mirror.status == "FINISHED":
                mirror.settle("RUNNING", history)
            attach_pictures(mirror, directory)
        except SpecError:
            raise
        except Exception as error:
            raise SpecError([complaint(uri, error)]) from error
    return Synced(uri, mirror.experiment, mirror.parent, mirror.created, mirror.updated)


def attach_pictures(mirror: Mirror, directory: Path) -> None:
    """Makes the study's tables and pictures, and shows them on the parent."""
    # pandas, matplotlib and plotly: a driver that only asks where the runs go must not wait for them.
    from reports import artifacts  # noqa: PLC0415

    pictures = directory / PICTURES
    artifacts.write(directory, pictures)
    mirror.attach(pictures)


def complaint(uri: str, error: Exception) -> str:
    """One line: MLflow's errors run over many."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"MLflow at {without_password(uri)}: {type(error).__name__}: {first[:300]}"


@contextmanager
def alone(directory: Path, how: int) -> Iterator[None]:
    """Holds the right to write the runs of the study in ``directory``; ``how`` is flock's.

    Two writers would each create what the other has not finished creating.
    """
    try:
        file = (directory / LOCK).open("ab")
    except OSError as error:
        raise SpecError([f"{directory}: cannot write here: {error.strerror}"]) from None
    with file:
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            raise SpecError(
                [f"{directory}: its runs are being written to MLflow already, by another process"]
            ) from None
        yield
