"""Models: the networks that members train."""

from __future__ import annotations

import sys

from trainables.models.base import Model

Model.discover(sys.modules[__name__])

__all__ = ["Model"]
