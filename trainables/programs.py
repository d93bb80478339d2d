"""Programs: a function of one model's row, made into one of many rows and traced to plain kernels.

``torch.func`` maps the function over rows; running that every step would spend more time in its
interpreters than in the kernels they call. So it runs once, is traced (``trainables/tracing.py``), and leaves a flat
list of kernels that is rewritten (``trainables/graphs.py``) and replayed.

There is no plainer way for few rows, since it would round otherwise. Against an ordinary loop of
``torch.nn`` and ``torch.optim`` (one core, digits, an average in both) a step of a member takes, alone, in
two and in eight: of a perceptron 128 wide 0.7, 0.5 and 0.4 of the time, 512 wide 1.1, 1.05 and 1.0, of the
small CNN 1.6, 0.8 and 0.5.

Nothing in a program waits for the device. On a GPU, where none has been run yet, the programs of a block
of steps are recorded and launched together (``trainables/captures.py``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor, fx
from torch.func import vmap

from trainables.exactness import LEAST_ROWS, rounds_alike_alone
from trainables.graphs import simplify_
from trainables.layouts import call_compiled_
from trainables.moulds import Mould
from trainables.products import compiles, multiplied, ours
from trainables.slopes import slope
from trainables.tracing import traced

if TYPE_CHECKING:
    from trainables.routines import Routine

Function: TypeAlias = Callable[..., Tensor]

Finish: TypeAlias = Callable[[fx.GraphModule, Sequence[Tensor]], Function]
"""Makes what is called of what was traced and rewritten, with tensors like those that it will be given."""

TRACES = 64
"""Programs kept in a process, those used last: one cohort after another traces once, and a process
that meets ever new shapes does not grow."""

TRACED: OrderedDict[Hashable, Function | None] = OrderedDict()
ROUTINES: OrderedDict[Hashable, Routine | None] = OrderedDict()
MOULDS: OrderedDict[Hashable, Mould] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """``of`` one row, mapped over rows. Arguments are tensors, the first ``mapped`` of them stacks.

    ``key`` says all that ``of`` depends on besides the shapes of its arguments. What ``of`` reads
    of its surroundings is read while tracing and never again.
    """

    of: Function
    key: Hashable
    mapped: int
    finish: Finish = call_compiled_
    _own: dict[Hashable, Function | None] = field(default_factory=dict)

    @torch.no_grad()
    def __call__(self, *arguments: Tensor) -> Tensor:
        shapes = (torch.get_num_threads(), *(a.shape for a in arguments))
        if shapes not in self._own:
            self._own[shapes] = self._made(shapes, arguments)
        function = self._own[shapes]
        return self._doubled(*arguments) if function is None else function(*arguments)

    def _doubled(self, *arguments: Tensor) -> Tensor:
        rows = len(arguments[0])
        wide = (a.expand(LEAST_ROWS, *a.shape[1:]) for a in arguments[: self.mapped])
        return self(*wide, *arguments[self.mapped :])[:rows]

    def _made(self, shapes: Hashable, arguments: tuple[Tensor, ...]) -> Function | None:
        """What is called; None for a lone row that would round otherwise than among others."""
        if self.finish is call_compiled_ and ours(arguments[0]):
            whole = routine_of(self.key, self._trace(len(arguments)), arguments, self.mapped)
            if whole is not None:
                return whole  # type: ignore[return-value] # what is mapped gives something
        return self._traced(shapes, arguments)

    def _traced(self, shapes: Hashable, arguments: tuple[Tensor, ...]) -> Function | None:
        """What is replayed; None for a lone row that would round otherwise than among others."""
        key = (self.key, shapes, arguments[0].device, self.mapped, self.finish)
        if key not in TRACED:
            kernels = simplify_(self._kernels(arguments), arguments)
            alike = len(arguments[0]) >= LEAST_ROWS or rounds_alike_alone(kernels)
            TRACED[key] = self.finish(kernels, arguments) if alike else None
        _keep_last(TRACED, key)
        return TRACED[key]

    def _kernels(self, arguments: tuple[Tensor, ...]) -> fx.GraphModule:
        """All kernels that the mapped function calls, one after the other."""
        trace = self._trace(len(arguments))
        row = tuple(a.shape[int(i < self.mapped) :] for i, a in enumerate(arguments))
        key = (self.key, row, torch.get_num_threads(), arguments[0].device, self.mapped)
        if len(arguments[0]) < LEAST_ROWS:
            return trace(*arguments)
        mould = MOULDS.setdefault(key, Mould())
        _keep_last(MOULDS, key)
        return mould.of(arguments, partial(trace, *arguments))

    def _trace(self, count: int) -> Callable[..., fx.GraphModule]:
        """What traces the mapped function, given so many arguments."""
        dims = tuple(0 if i < self.mapped else None for i in range(count))
        return partial(traced, vmap(self.of, in_dims=dims))


def routine_of(
    key: Hashable,
    trace: Callable[..., fx.GraphModule],
    arguments: tuple[Tensor, ...],
    mapped: int,
) -> Routine | None:
    """What ``trace`` leaves, as one function of any number of rows (``trainables/routines.py``).

    ``key`` says all that it depends on besides the shapes of ``arguments``, of which the first ``mapped`` are stacks. None
    if it has kernels that cannot be written down.
    """
    from trainables.assembly import UnsupportedError  # noqa: PLC0415 - llvmlite need not be there
    from trainables.routines import routine  # noqa: PLC0415 - likewise

    rows = tuple(a.shape[int(i < mapped) :] for i, a in enumerate(arguments))
    known = key, rows, mapped
    if known not in ROUTINES:
        try:
            ROUTINES[known] = routine(trace, arguments, mapped)
        except UnsupportedError:
            ROUTINES[known] = None
    _keep_last(ROUTINES, known)
    return ROUTINES[known]


@cache
def warm() -> None:
    """Has all loaded that any first program needs (a second), so that no candidate pays for it."""

    def square(row: Tensor) -> Tensor:
        return row.square().sum()

    of = partial(traced, vmap(slope(square)))
    rows = torch.zeros(LEAST_ROWS, 1)
    if compiles():
        multiplied(torch.zeros(1, 16, 16), torch.zeros(1, 16, 16).mT)  # turned, as weights are
        routine_of("warm", of, (rows,), 1)
        from trainables.absorbing import absorbing  # noqa: PLC0415 - llvmlite need not be there

        absorbing()
    else:
        of(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """The same of one row after the other, for functions that cannot be mapped or traced."""

    of: Function
    mapped: int

    @torch.no_grad()
    def __call__(self, *arguments: Tensor) -> Tensor:
        stacks, rest = arguments[: self.mapped], arguments[self.mapped :]
        return torch.stack([self.of(*rows, *rest) for rows in zip(*stacks, strict=True)])


def _keep_last(known: OrderedDict[Hashable, Any], key: Hashable) -> None:
    """Of what is ``known`` those used last, ``key`` now."""
    known.move_to_end(key)
    while len(known) > TRACES:
        known.popitem(last=False)
