"""A study's folder, read back: its history, and the study file that it was opened with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.history import History
from search.ledger import read
from search.studyfile import StudyFile, read_text

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = "reports"


def load(directory: Path) -> tuple[History, StudyFile]:
    """What the ledger in ``directory`` says, while the study runs or after.

    Raises SpecError if the folder is not a study's.
    """
    history = History.of(read(directory))
    return history, study_of(history)


def study_of(history: History) -> StudyFile:
    """The study file, as the study's first driver read it."""
    opened = history.opened
    return read_text(opened.text, opened.source, opened.overrides)
