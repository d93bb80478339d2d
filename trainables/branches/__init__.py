"""Branches: copies that leave a member's training before a task ends, to be deployed there."""

from __future__ import annotations

import sys

from trainables.branches.base import Branch

Branch.discover(sys.modules[__name__])

__all__ = ["Branch"]
