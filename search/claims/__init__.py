"""Claims: what a paper says, and how a study would show it."""

from __future__ import annotations

import sys

from search.claims.base import Claim, Finding

Claim.discover(sys.modules[__name__])

__all__ = ["Claim", "Finding"]
