"""Members: who is in a cohort, and what tells one cohort from another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from trainables.averagers import Averager, refuse_unfollowed
from trainables.recipes import Recipe
from trainables.scenarios.base import Stream
from trainables.tables import skeleton


@dataclass(frozen=True, slots=True)
class Member:
    """One student and the averagers that follow it, at least one: a seat of the cohort each."""

    recipe: Recipe
    averagers: tuple[Averager, ...]


def check(members: Sequence[Member]) -> None:
    """Raises ValueError if ``members`` cannot be a cohort."""
    if not members or not all(member.averagers for member in members):
        raise ValueError("a cohort needs a member, and every member an averager")
    for averager in (a for member in members for a in member.averagers):
        refuse_unfollowed(averager)
    if len({skeleton(member.recipe) for member in members}) != 1:
        raise ValueError("members of a cohort may differ in schedules and averagers only")


def fingerprint(members: Sequence[Member], stream: Stream, seed: int) -> dict[str, str | int]:
    """What a saved state must agree in; members and data by digests."""
    return {
        "version": 2,
        "seed": seed,
        "members": hashlib.sha256(repr(list(members)).encode()).hexdigest(),
        "stream": digest(stream),
    }


def digest(stream: Stream) -> str:
    """What tells a stream from another: its clock and shape, its labels, a sample of each task."""
    data = hashlib.sha256(repr((stream.clock, stream.classes, stream.inputs)).encode())
    for split in stream.train:
        data.update(split.x[:1].cpu().numpy().tobytes() + split.y.cpu().numpy().tobytes())
    return data.hexdigest()
