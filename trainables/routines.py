"""Routines: a traced program as one function in machine code, of one row after the other.

Called one by one, the kernels of a step of a small model take longer to call than to run. In a routine nothing is
called but products (``trainables/products.py``), and what a row leaves in the processor's cache the
next kernel finds there. Rows never meet in a program, so a routine is of any number of them; what it
gives a row depends on that row and on what all share, and on nothing else.

Not every kernel can be written down (``trainables/writing.py``); a program with others is replayed kernel by
kernel (``trainables/layouts.py``), whatever the number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, fx

from trainables.graphs import rewrite_
from trainables.layouts import bind_all_
from trainables.tracing import Meta
from trainables.writing import Made, Writer

if TYPE_CHECKING:
    from trainables.assembly import Code

COUNTS = (11, 13, 17, 19, 23, 29, 31, 37)
"""Rows that a routine is traced of: the first number that is no other size in its program."""

LIES = 64
"""Ways for its arguments to lie that a routine remembers."""


def routine(
    trace: Callable[..., fx.GraphModule], arguments: Sequence[Tensor], mapped: int
) -> Routine:
    """The function that ``trace`` leaves the graph of, of any number of rows.

    It is called with tensors like ``arguments``, of which the first ``mapped`` are stacks of rows. What it writes
    over must be among these; where it gives nothing, neither does the routine.

    Raises:
        UnsupportedError: if it has kernels or tensors that cannot be written down.
    """
    rows, given, traced = _traced(trace, arguments, mapped)
    rewrite_(traced, given)
    bind_all_(traced)
    writer = Writer(traced, given, mapped, rows)
    return Routine(writer.code(), mapped, writer.made)


def _traced(
    trace: Callable[..., fx.GraphModule], arguments: Sequence[Tensor], mapped: int
) -> tuple[int, tuple[Tensor, ...], fx.GraphModule]:
    """A graph, of how many rows and of which arguments it is."""
    shared = tuple(a.contiguous() for a in arguments[mapped:])
    for rows in COUNTS:
        stacks = (a[:1].repeat(rows, *[1] * (a.dim() - 1)) for a in arguments[:mapped])
        given = (*stacks, *shared)
        traced = trace(*given)
        if not _is_size(traced, rows):
            return rows, given, traced
    from trainables.assembly import UnsupportedError  # noqa: PLC0415 - llvmlite need not be there

    raise UnsupportedError(f"sizes that are each of {COUNTS}")


def _is_size(traced: fx.GraphModule, rows: int) -> bool:
    """Whether so many ``rows`` are as many as something else in ``traced``."""
    for node in traced.graph.nodes:
        metas = node.meta.get("tensor_meta")
        for meta in (metas,) if isinstance(metas, Meta) else metas or ():
            if isinstance(meta, Meta) and rows in meta.shape[int(meta.shape[:1] == (rows,)) :]:
                return True
    return False


class Routine:
    """``code`` as a function of tensors, which keeps alive what it ``made`` use of."""

    def __init__(self, code: Code, mapped: int, made: Made) -> None:
        self._code, self._mapped, self._made = code, mapped, made
        self._apart = math.prod(made.shape or ())
        self._known: dict[object, tuple[list[int], list[int]]] = {}

    @property
    def address(self) -> int:
        """Where its code begins."""
        return self._code.address

    @property
    def room(self) -> int:
        """The bytes of memory that a row needs meanwhile."""
        return self._made.room

    def __call__(self, *arguments: Tensor) -> Tensor | None:
        count, lie = len(arguments[0]), tuple([a.stride() for a in arguments])
        shape = self._made.shape
        if not count:
            return None if shape is None else torch.empty(0, *shape)
        steps, torn = self._lie(lie, arguments)
        if torn:
            whole = (a.contiguous() if i in torn else a for i, a in enumerate(arguments))
            return self(*whole)
        apart, result = self._apart, None
        if shape is not None:
            result = torch.empty_strided((count, *shape), (apart, *self._made.strides))
        scratch = torch.empty(self._made.room, dtype=torch.uint8)
        given = [count, scratch.data_ptr(), 0 if result is None else result.data_ptr(), apart]
        for i, argument in enumerate(arguments):
            given.append(argument.data_ptr())
            if i < self._mapped:
                given.append(steps[i])
        self._code.call(*given)
        return result

    def _lie(self, lie: object, arguments: Sequence[Tensor]) -> tuple[list[int], list[int]]:
        if lie not in self._known:
            if len(self._known) >= LIES:
                self._known.clear()
            self._known[lie] = _lie(arguments, self._mapped, self._made.over)
        return self._known[lie]


def _lie(
    arguments: Sequence[Tensor], mapped: int, over: Collection[int]
) -> tuple[list[int], list[int]]:
    """How far apart the rows of the first ``mapped`` lie, and which arguments' rows are torn apart.

    Raises:
        ValueError: if one of these is written ``over``.
    """
    rows = [a[0] if i < mapped else a for i, a in enumerate(arguments)]
    torn = [i for i, row in enumerate(rows) if not row.is_contiguous()]
    if set(torn) & set(over):
        raise ValueError("what is written over must be rows whose numbers lie side by side")
    return [a.stride(0) for a in arguments[:mapped]], torn
