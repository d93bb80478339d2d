"""Values: what the tensors of a routine are while it is written down, and where in memory they go."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from trainables.elementwise import Elementwise

LINE = 64
"""Bytes; what a row's tensors are set apart by."""


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory by the name it has in a routine; of a row's own: from which kernel to which it is needed, in ``size`` bytes."""

    name: str
    size: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A look at a buffer. ``like`` is a tensor of as many rows as were traced that lies as it does, from its beginning on.

    Its numbers are not to be read. Where it has rows, how far these lie apart in it means nothing.
    """

    buffer: Buffer
    like: Tensor

    @property
    def is_bool(self) -> bool:
        return self.like.dtype == torch.bool


Look: TypeAlias = tuple[int, int, tuple[int, ...]]
"""Which numbers of which buffer, spread to a shape."""


def look_of(value: Value, shape: Sequence[int]) -> Look:
    like = value.like.expand(shape)
    return id(value.buffer), int(like.storage_offset()), like.stride()


@dataclass(frozen=True, slots=True)
class Step:
    """A kernel of one number at a time, of values and numbers."""

    kernel: Elementwise
    given: tuple[Any, ...]
    made: Value

    @property
    def values(self) -> list[Value]:
        """What it makes, then what of."""
        return [self.made, *(v for v in self.given if isinstance(v, Value))]

    def looks(self) -> list[tuple[Look, Value]]:
        return [(look_of(v, self.made.like.shape), v) for v in self.values]

    def meets(self, other: Step) -> bool:
        """Whether one of both writes what the other looks at."""
        mine, theirs = ({id(v.buffer) for v in step.values} for step in (self, other))
        return id(self.made.buffer) in theirs or id(other.made.buffer) in mine

    def fits(self, other: Step) -> bool:
        """Whether what one of both writes the other looks at number by number alike, if at all."""
        for writer, reader in ((self, other), (other, self)):
            own = look_of(writer.made, writer.made.like.shape)
            if any(look[0] == own[0] and look != own for look, _ in reader.looks()):
                return False
        return True


def is_dense(row: Tensor) -> bool:
    """Whether its numbers lie side by side, each once."""
    pairs = sorted(
        (step, size) for step, size in zip(row.stride(), row.shape, strict=True) if size > 1
    )
    expected = 1
    for step, size in pairs:
        if step != expected:
            return False
        expected *= size
    return True


def arranged(buffers: Sequence[Buffer]) -> tuple[list[int], int]:
    """Where in bytes each lies, so that those needed at one time do not meet, and how much that takes."""
    placed: list[tuple[int, Buffer]] = []
    for buffer in buffers:
        at = 0
        for other_at, other in sorted(placed, key=operator.itemgetter(0)):
            apart = other.last < buffer.first or buffer.last < other.first
            if not apart and at < other_at + other.size and other_at < at + buffer.size:
                at = -(-(other_at + other.size) // LINE) * LINE
        placed.append((at, buffer))
    return [at for at, _ in placed], max((at + b.size for at, b in placed), default=0)
