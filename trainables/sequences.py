"""Sequences: routines one after the other, all of them of one row and then of the next, in one call.

A step of a few small models is soon done, and what Python does around it takes as long as a member more. So
a block of steps is called at once: it is told where everything lies at each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainables.assembly import Code
    from trainables.routines import Routine


class Places(NamedTuple):
    """Where an argument lies at each step, and how far apart its rows lie there, both in bytes. [steps] each, or the same for all."""

    at: NDArray[np.int64] | int
    apart: NDArray[np.int64] | int


def stack_at(stack: Tensor) -> Places:
    """The same rows [m, ...] at each step."""
    _refuse_torn(stack[:1])
    return Places(stack.data_ptr(), stack.stride(0) * stack.element_size())


def stacks_at(stacks: Tensor, places: Sequence[int]) -> Places:
    """At each step the rows at one of the ``places`` in the second axis of [m, n, ...]."""
    _refuse_torn(stacks[:1, 0])
    size = stacks.element_size()
    each = np.array(places, dtype=np.int64) * (stacks.stride(1) * size)
    return Places(stacks.data_ptr() + each, stacks.stride(0) * size)


def tensors_at(tensors: Sequence[Tensor], *, rows: bool) -> Places:
    """Another tensor at each step, of ``rows`` or shared by all of them; all of them contiguous."""
    at = np.array([t.data_ptr() for t in tensors], dtype=np.int64)
    apart = tensors[0].stride(0) * tensors[0].element_size() if rows else 0
    return Places(at, apart)


def run_(
    routines: Sequence[Routine], mapped: Sequence[Places], shared: Sequence[Places], rows: int
) -> None:
    """A routine for each step, which gives nothing, of ``rows`` rows. ``mapped`` and ``shared`` are its arguments."""
    if not rows:
        return
    table = np.empty((len(routines), 1 + 2 * len(mapped) + len(shared)), dtype=np.int64)
    table[:, 0] = [routine.address for routine in routines]
    for column, places in enumerate(mapped):
        table[:, 1 + 2 * column], table[:, 2 + 2 * column] = places
    for column, places in enumerate(shared, start=1 + 2 * len(mapped)):
        table[:, column] = places.at
    scratch = torch.empty(max(routine.room for routine in routines), dtype=torch.uint8)
    code = _sequence(len(mapped), len(shared))
    code.call(rows, len(routines), table.ctypes.data, scratch.data_ptr())


@cache
def _sequence(mapped: int, shared: int) -> Code:
    """``call(rows, steps, table, scratch)`` of routines with so many arguments."""
    from trainables.assembly import LONG, Body, compiled  # noqa: PLC0415 - llvmlite need not be there

    body, width = Body(), 1 + 2 * mapped + shared

    def step(row: str, number: str) -> Sequence[str]:
        line = body.at("%table", body.times(number, width), LONG)
        words = [body.let(f"load i64, ptr {body.at(line, i, LONG)}, align 8") for i in range(width)]
        given = ["i64 1", "ptr %scratch", "ptr null", "i64 0"]
        for i in range(1, 1 + 2 * mapped, 2):
            first = body.let(f"add i64 {words[i]}, {body.times(row, words[i + 1])}")
            given += [f"ptr {body.let(f'inttoptr i64 {first} to ptr')}", "i64 0"]
        for word in words[1 + 2 * mapped :]:
            given.append(f"ptr {body.let(f'inttoptr i64 {word} to ptr')}")
        routine = body.let(f"inttoptr i64 {words[0]} to ptr")
        body.do(f"call void {routine}({', '.join(given)})")
        return ()

    def steps(row: str, _: Sequence[str]) -> Sequence[str]:
        body.loop("%steps", lambda number, _: step(row, number))
        return ()

    body.loop("%rows", steps)
    arguments = ["i64 %rows", "i64 %steps", "ptr %table", "ptr %scratch"]
    return compiled([body.function("sequence", arguments, inner=False)], "sequence", 4)


def _refuse_torn(row: Tensor) -> None:
    if not row.is_contiguous():
        raise ValueError("what is written over must be rows whose numbers lie side by side")
