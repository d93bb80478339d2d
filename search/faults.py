"""Faults: what a job raised or died of, and how its members are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from search.events import FaultKind
    from search.plans import Crew

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""What PyTorch's errors say that are of no class of their own: CPU, MPS, cuBLAS and its like."""


def kind_of(error: Exception) -> FaultKind:
    """Whether a job that was smaller might not have raised ``error``."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "memory"
    worded = isinstance(error, RuntimeError) and any(w in str(error) for w in OUT_OF_MEMORY)
    return "memory" if worded else "raised"


def parted(members: Crew, kind: FaultKind) -> list[Crew]:
    """The crews as which ``members`` are tried again; a single one if they cannot be parted.

    Without memory, halves: of the members, or of a lone member's averages. Else its members one
    by one, so that only the guilty one fails.
    """
    if kind != "memory":
        return [(member,) for member in members]
    if len(members) > 1:
        half = -(-len(members) // 2)
        return [members[:half], members[half:]]
    (member,) = members
    half = -(-len(member) // 2)
    return [(part,) for part in (member[:half], member[half:]) if part]
