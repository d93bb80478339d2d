"""Pruned: what the sampler makes of candidates that a rung stopped."""

from __future__ import annotations

import sys

from search.pruned.base import Pruned, Tier

Pruned.discover(sys.modules[__name__])

__all__ = ["Pruned", "Tier"]
