"""Faults: what a job raised or died of, and how its members are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from search.events import FaultKind
    from search.history import History
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


def shrunk(history: History, program: Callable[[int], Hashable]) -> dict[Hashable, int]:
    """The most members of a job, for each program that ran out of memory: half of what did.

    ``program`` is a candidate's, by its number.
    """
    found: dict[Hashable, int] = {}
    for job in (history.jobs[f.job] for f in history.faults if f.kind == "memory"):
        half, of = -(-len(job.members) // 2), program(job.candidates[0])
        found[of] = min(half, found.get(of, half))
    return found
