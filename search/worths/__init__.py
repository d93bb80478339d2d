"""Worths: who of one front is worth more."""

from __future__ import annotations

import sys

from search.worths.base import Worth

Worth.discover(sys.modules[__name__])

__all__ = ["Worth"]
