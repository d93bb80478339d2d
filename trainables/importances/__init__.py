"""Importances: how much each weight mattered to what was learnt."""

from __future__ import annotations

import sys

from trainables.importances.base import Importance

Importance.discover(sys.modules[__name__])

__all__ = ["Importance"]
