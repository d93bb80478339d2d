"""Files that a command is asked to write."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from spaces.problems import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> None:
    """The whole of ``text``, or nothing. Raises SpecError if it cannot be written there."""
    if path.is_dir():
        raise SpecError([f"--out {path}: is a folder; a file is due"])
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise SpecError([f"--out {path}: cannot write here: {error.strerror}"]) from None
