"""Rungs: who goes on, as arithmetic. No process is stopped here."""

from __future__ import annotations

import sys

from search.rungs.base import Rungs
from search.rungs.ladder import Ladder

Rungs.discover(sys.modules[__name__])

__all__ = ["Ladder", "Rungs"]
