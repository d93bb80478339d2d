"""Pulls: how a student is drawn back towards other weights."""

from __future__ import annotations

import sys

from trainables.pulls.base import Pull

Pull.discover(sys.modules[__name__])

__all__ = ["Pull"]
