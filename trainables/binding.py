"""Binding: products of a graph become our own, which read through views and end what they compute.

A bias that is added to a product, a relu of it and the slope of a relu are computed of the sums while they are
in registers, rather than each in a pass over memory. They are so where the product stands: what they
need besides is there by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, ops

from trainables.kernels import TRANSPOSE, VIEWS
from trainables.products import Views, product_of

_aten = ops.aten
SUMS = {_aten.add.Tensor, _aten.add.out}
RELUS = {_aten.relu.default, _aten.relu_.default}
SLOPES = {_aten.threshold_backward.default, _aten.threshold_backward.grad_input}
_SEEN_THROUGH = {*VIEWS, TRANSPOSE}


@dataclass(frozen=True, slots=True)
class Operand:
    """A view of what ``source`` gives, by some functions with further arguments."""

    source: Any = None
    steps: tuple[tuple[Callable[..., Tensor], tuple[Any, ...]], ...] = ()

    @classmethod
    def of(cls, given: Any) -> Operand:
        """``given``, as a view of what it is a view of."""
        steps: list[tuple[Any, tuple[Any, ...]]] = []
        while isinstance(given, fx.Node) and given.target in _SEEN_THROUGH:
            steps.insert(0, (given.target, given.args[1:]))
            given = given.args[0]
        return cls(given, tuple(steps))

    def then(self, of: Callable[..., Tensor], *arguments: Any) -> Operand:
        return Operand(self.source, (*self.steps, (of, arguments)))

    def view(self, tensor: Tensor) -> Tensor:
        for of, arguments in self.steps:
            tensor = of(tensor, *arguments)
        return tensor


BOUND = "bound"
"""Where a node says what product it is."""


class Bound(NamedTuple):
    """A product of ``views`` of what a node is given: two factors, and by name what it ends with."""

    views: Views
    relu: bool


def bind_(node: fx.Node) -> None:
    """``node``, a product of float32 on the CPU, becomes ours."""
    a, b = map(Operand.of, node.args)
    read, relu = [*node.args, *node.kwargs.values()], False
    out, bias, mask = Operand.of(node.kwargs.get("out")), Operand(), Operand()
    if out.source is None:
        if (turn := _lone_user(node, {TRANSPOSE})) and _turns(turn):
            a, b = b.then(torch.transpose, 1, 2), a.then(torch.transpose, 1, 2)
            _take_in(node, turn)
        if (total := _lone_user(node, SUMS)) and (added := _bias(node, total)) is not None:
            bias = Operand.of(added).then(Tensor.expand, _shape(node))
            _take_in(node, total)
            read.append(added)
        if end := _lone_user(node, RELUS):
            relu = True
            _take_in(node, end)
        if (slope := _lone_user(node, SLOPES)) and _is_of_relu(slope, node):
            mask = Operand.of(slope.args[1])
            _take_in(node, slope)
    bound = Bound(Views(a.view, b.view, out.view, bias.view, mask.view), relu)
    node.target = product_of(bound.views, relu=relu)
    node.meta = node.meta | {BOUND: bound}
    node.args = a.source, b.source
    beside = {"out": out, "bias": bias, "mask": mask}
    node.kwargs = {name: o.source for name, o in beside.items() if o.source is not None}
    _drop_unread(read)


def _lone_user(node: fx.Node, targets: set[Any]) -> fx.Node | None:
    """What alone reads ``node``, if it is one of ``targets``."""
    users = list(node.users)
    return users[0] if len(users) == 1 and users[0].target in targets else None


def _take_in(node: fx.Node, user: fx.Node) -> None:
    """What ``user`` gives, ``node`` is to give."""
    user.replace_all_uses_with(node)
    user.graph.erase_node(user)
    node.meta = user.meta


def _turns(turn: fx.Node) -> bool:
    """Whether rows become columns."""
    return {axis % 3 for axis in turn.args[1:] if isinstance(axis, int)} == {1, 2}


def _bias(node: fx.Node, total: fx.Node) -> fx.Node | None:
    """What ``total`` adds to ``node``, if that is the same for all rows or all columns."""
    others = [x for x in total.args if x is not node]
    if len(total.args) != 2 or len(others) != 1 or set(total.kwargs) - {"out"}:
        return None
    (other,) = others
    if not isinstance(other, fx.Node) or not _is_before(other, node):
        return None
    meta, (count, m, n) = other.meta["tensor_meta"], _shape(node)
    fits = tuple(meta.shape) in {(count, 1, n), (count, m, 1)} and meta.dtype == torch.float32
    return other if fits else None


def _is_of_relu(slope: fx.Node, node: fx.Node) -> bool:
    """Whether ``slope`` hands on ``node`` where what is there by then is over 0."""
    of, output, least = slope.args
    return of is node and bool(least == 0) and _is_before(output, node)


def _is_before(given: Any, node: fx.Node) -> bool:
    """Whether what ``given`` is a view of is there when ``node`` is computed."""
    source = Operand.of(given).source
    return isinstance(source, fx.Node) and source < node


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["tensor_meta"].shape)


def _drop_unread(views: list[Any]) -> None:
    while views:
        view = views.pop()
        if isinstance(view, fx.Node) and view.target in _SEEN_THROUGH and not view.users:
            views.append(view.args[0])
            view.graph.erase_node(view)
