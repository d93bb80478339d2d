"""Gates: which weights may move in a step."""

from __future__ import annotations

import sys

from trainables.gates.base import Gate

Gate.discover(sys.modules[__name__])

__all__ = ["Gate"]
