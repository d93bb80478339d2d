"""Programs: a function of one model's row, made into one of many rows and traced to plain kernels.

``torch.func`` maps the function over rows; running that every step would spend more time in its
interpreters than in the kernels they call. So it runs once, under ``make_fx``, and leaves a flat
list of kernels that is rewritten (``trainables/graphs.py``) and replayed.

Nothing in a program waits for the device. On a GPU every kernel is launched from Python; capturing
a step as a CUDA graph would save that, and has not been tried.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor
from torch.func import vmap
from torch.fx.experimental.proxy_tensor import make_fx

from trainables.exactness import LEAST_ROWS
from trainables.graphs import simplify_

Function: TypeAlias = Callable[..., Tensor]

TRACES = 64
"""Programs kept in a process, those used last: one cohort after another traces once, and a process
that meets ever new shapes does not grow."""

TRACED: OrderedDict[Hashable, Function] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """``of`` one row, mapped over rows. Arguments are tensors, the first ``mapped`` of them stacks.

    ``key`` says all that ``of`` depends on besides the shapes of its arguments. What ``of`` reads
    of its surroundings is read while tracing and never again.
    """

    of: Function
    key: Hashable
    mapped: int
    _own: dict[Hashable, Function] = field(default_factory=dict)

    @torch.no_grad()
    def __call__(self, *arguments: Tensor) -> Tensor:
        rows = len(arguments[0])
        if rows < LEAST_ROWS:
            wide = (a.expand(LEAST_ROWS, *a.shape[1:]) for a in arguments[: self.mapped])
            return self._run(*wide, *arguments[self.mapped :])[:rows]
        return self._run(*arguments)

    def _run(self, *arguments: Tensor) -> Tensor:
        shapes = (torch.get_num_threads(), *(a.shape for a in arguments))
        traced = self._own.get(shapes)
        if traced is None:
            traced = self._own[shapes] = self._trace(shapes, arguments)
        return traced(*arguments)

    def _trace(self, shapes: Hashable, arguments: tuple[Tensor, ...]) -> Function:
        key = (self.key, shapes, arguments[0].device, self.mapped)
        if key not in TRACED:
            dims = tuple(0 if i < self.mapped else None for i in range(len(arguments)))
            traced = make_fx(_plain(vmap(self.of, in_dims=dims)))(*arguments)
            TRACED[key] = simplify_(traced, arguments)
        TRACED.move_to_end(key)
        while len(TRACED) > TRACES:
            TRACED.popitem(last=False)
        return TRACED[key]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """The same of one row after the other, for functions that cannot be mapped or traced."""

    of: Function
    mapped: int

    @torch.no_grad()
    def __call__(self, *arguments: Tensor) -> Tensor:
        stacks, rest = arguments[: self.mapped], arguments[self.mapped :]
        return torch.stack([self.of(*rows, *rest) for rows in zip(*stacks, strict=True)])


def _plain(of: Function) -> Function:
    """``of`` without the signature that make_fx would count parameters by, a method's self too."""

    def plain(*arguments: Tensor) -> Tensor:
        return of(*arguments)

    return plain
