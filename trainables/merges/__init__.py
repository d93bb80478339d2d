"""Merges: what becomes of a student at the end of a task."""

from __future__ import annotations

import sys

from trainables.merges.base import Merge

Merge.discover(sys.modules[__name__])

__all__ = ["Merge"]
