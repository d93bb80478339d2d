"""Checkpoints: a cohort between two tasks, on disk."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch

from trainables.cohort import Cohort


def save(cohort: Cohort, path: Path) -> None:
    """Writes the cohort's state to ``path``: wholly, or not at all if the process dies."""
    write(cohort.state_dict(), path)


def load_into(cohort: Cohort, path: Path) -> None:
    """Takes ``cohort`` to where it was saved; it may be on another device.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a checkpoint, or one of other members, data or seed.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a checkpoint: {error}") from error
    if not isinstance(state, dict) or "fingerprint" not in state:
        raise ValueError(f"{path} is not a checkpoint of a cohort")
    cohort.load_state_dict(state)


def write(state: dict[str, Any], path: Path) -> None:
    """Writes tensors, numbers and words to a file beside ``path`` and puts it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
