"""Albums: where a study's snapshots lie, and whose are still wanted."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from trainables.snapshots import Album, folder_of

if TYPE_CHECKING:
    from pathlib import Path

    from search.history import History
    from search.studyfile import StudyFile


def album(file: StudyFile, directory: Path, job: int) -> Album | None:
    """What is kept of ``job`` and where, if the study keeps snapshots."""
    return None if file.snapshots is None else Album(file.snapshots, folder(directory, job))


def folder(directory: Path, job: int) -> Path:
    """Where the snapshots of ``job``'s members lie, in the study's folder."""
    return directory / "snapshots" / f"job-{job:06d}"


def finished(history: History) -> list[tuple[int, int]]:
    """The students that were trained to the end of the stream, by job and member."""
    found = ((job, m) for job in history.jobs for m, _ in enumerate(history.jobs[job].members))
    return [(job, m) for job, m in found if "complete" in _states(history, job, m)]


def sweep(directory: Path, history: History, job: int) -> None:
    """Deletes what ``job`` kept of students that neither run nor have a complete candidate."""
    for member, _ in enumerate(history.jobs[job].members):
        if not _states(history, job, member) & {"running", "complete"}:
            shutil.rmtree(folder_of(folder(directory, job), member), ignore_errors=True)
    with suppress(OSError):  # others' are still in it, or there never was one
        folder(directory, job).rmdir()


def _states(history: History, job: int, member: int) -> set[str]:
    """What became of the candidates that are averages of ``member``; none if it is another job's."""
    own = [c for c in history.jobs[job].members[member] if history.job_of[c] == job]
    return {history.outcomes[c].state if c in history.outcomes else "running" for c in own}
