"""Terms: what a strategy adds to the loss of a batch."""

from __future__ import annotations

import sys

from trainables.terms.base import Term

Term.discover(sys.modules[__name__])

__all__ = ["Term"]
