"""Moulds: two traces of a function of many rows, of other numbers of rows, tell that of any number.

Tracing takes a hundred times as long as what is traced, and cohorts shrink and differ: a process
meets one program with many numbers of rows. Rows never meet in a program, so the kernels are the
same for all numbers of them, and what numbers the kernels are given (shapes, sizes, strides) are
``a + b * rows``. Two traces give a and b; where they do not fit each other, there is no mould, and
every number of rows is traced by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx

from trainables.tracing import lazy, propagate


class Grows(NamedTuple):
    """A number that is ``base + each * rows``."""

    base: int
    each: int


class UnlikeError(Exception):
    """Two traces are not of one mould."""


Given = dict[str, tuple[Any, Any]]
"""What kernels are given, args and kwargs by the name of their node, with ``Grows`` among it."""


@dataclass(slots=True, eq=False)
class Mould:
    """What is known of one program: nothing at first, then a trace, then any number of rows."""

    _first: tuple[int, fx.GraphModule] | None = None
    _given: Given | None = None
    _none: bool = field(default=False)

    def of(
        self, arguments: tuple[Tensor, ...], trace: Callable[[], fx.GraphModule]
    ) -> fx.GraphModule:
        """What ``trace``, which is called if there is no other way, makes of ``arguments``."""
        rows = len(arguments[0])
        if self._given is not None and self._first is not None:
            return cast(self._first[1], self._given, rows, arguments)
        traced = trace()
        if self._first is None:
            self._first = rows, copied(traced)
        elif not self._none and rows != self._first[0]:
            try:
                self._given = merged(*self._first, rows, traced)
            except UnlikeError:
                self._none = True
        return traced


def copied(traced: fx.GraphModule) -> fx.GraphModule:
    """One whose graph may be rewritten without the other's."""
    graph = fx.Graph()
    graph.output(graph.graph_copy(traced.graph, {}))
    return lazy(traced, graph)


def cast(
    traced: fx.GraphModule, given: Given, rows: int, arguments: tuple[Tensor, ...]
) -> fx.GraphModule:
    """``traced`` with what its kernels are ``given`` when there are so many ``rows``."""
    made = copied(traced)
    by_name = {node.name: node for node in made.graph.nodes}
    for name, (args, kwargs) in given.items():
        node = by_name[name]
        node.args = tuple(_filled(args, rows, by_name))
        node.kwargs = _filled(kwargs, rows, by_name)
    propagate(made, arguments)
    made.recompile()
    return made


def merged(few: int, one: fx.GraphModule, many: int, other: fx.GraphModule) -> Given:
    """What kernels are given, of any number of rows, where ``one`` is of ``few`` and ``other`` of ``many``.

    Raises:
        UnlikeError: if anything but such numbers differs.
    """
    nodes, others = list(one.graph.nodes), list(other.graph.nodes)
    if len(nodes) != len(others):
        raise UnlikeError
    given: Given = {}
    for a, b in zip(nodes, others, strict=True):
        if (a.op, a.name, a.target) != (b.op, b.name, b.target):
            raise UnlikeError
        if a.op == "get_attr" and not _same_tensor(
            getattr(one, a.target), getattr(other, b.target)
        ):
            raise UnlikeError
        if a.op == "call_function":
            both = ((a.args, b.args), (a.kwargs, b.kwargs))
            args, kwargs = (_grown(x, y, few, many) for x, y in both)
            given[a.name] = args, kwargs
    return given


def _same_tensor(a: object, b: object) -> bool:
    alike = isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape
    return alike and torch.equal(a, b)  # type: ignore[arg-type] # both are tensors


def _grown(a: Any, b: Any, few: int, many: int) -> Any:
    """What ``a`` with ``few`` rows and ``b`` with ``many`` is with any number."""
    if isinstance(a, fx.Node) and isinstance(b, fx.Node) and a.name == b.name:
        return a
    if type(a) is not type(b):
        raise UnlikeError
    if isinstance(a, (list, tuple)) and len(a) == len(b):
        return [_grown(x, y, few, many) for x, y in zip(a, b, strict=True)]
    if isinstance(a, dict) and a.keys() == b.keys():
        return {k: _grown(a[k], b[k], few, many) for k in a}
    if type(a) is int and a != b:
        each, rest = divmod(b - a, many - few)
        if rest:
            raise UnlikeError
        return Grows(a - each * few, each)
    if isinstance(a, (list, tuple, dict, fx.Node, Tensor)) or a != b:
        raise UnlikeError
    return a


def _filled(given: Any, rows: int, nodes: dict[str, fx.Node]) -> Any:
    match given:
        case Grows(base, each):
            return base + each * rows
        case fx.Node():
            return nodes[given.name]
        case list():
            return [_filled(each, rows, nodes) for each in given]
        case dict():
            return {name: _filled(each, rows, nodes) for name, each in given.items()}
        case _:
            return given
