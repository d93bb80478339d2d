"""Samplers: who is tried next."""

from __future__ import annotations

import sys

from search.samplers.base import Ask, Sampler

Sampler.discover(sys.modules[__name__])

__all__ = ["Ask", "Sampler"]
