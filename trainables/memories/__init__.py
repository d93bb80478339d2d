"""Memories: which samples of the past are kept and shown again."""

from __future__ import annotations

import sys

from trainables.memories.base import Memory

Memory.discover(sys.modules[__name__])

__all__ = ["Memory"]
