"""Imports: most of a process' start. PyTorch and Ray Tune are half a million objects and two seconds."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """What is imported meanwhile stays: Python does not look for garbage among it, neither now nor later.

    To look takes a quarter of the time that importing PyTorch does, and finds a few thousand objects in the end.
    ``gc.unfreeze`` has it look again.
    """
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looks:
            gc.enable()
