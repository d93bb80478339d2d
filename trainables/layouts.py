"""Layouts: products of our own in place of PyTorch's, and along which axis their results lie in memory.

Kernels of one number at a time are ten times slower where their tensors lie differently. So a
product's result lies as what it will be put together with, where that is there before it: the
slope of a layer's output as the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from trainables.graphs import call_directly_, kernels
from trainables.kernels import INTO, PRODUCT, TRANSPOSE, VIEWS
from trainables.products import View, compiles, product_of


def call_compiled_(traced: fx.GraphModule, arguments: Sequence[Tensor]) -> Callable[..., Tensor]:
    """The function that ``traced`` is of tensors like ``arguments``, multiplying by our own kernels.

    Where these are not to be had, or not made for, it multiplies as PyTorch does.
    """
    if arguments[0].device.type == "cpu" and torch.get_num_threads() == 1 and compiles():
        products = [n for n in kernels(traced) if _is_ours(n)]
        for node in products:
            _bind(node)
        _Layouts(traced, products).run(*arguments)
    return call_directly_(traced, arguments)


def _is_ours(node: fx.Node) -> bool:
    return node.target in {PRODUCT, INTO[PRODUCT]} and all(map(_is_float32, node.args))


def _bind(node: fx.Node) -> None:
    """A product reads through the views that it is given, of which those that nobody else reads are dropped."""
    (a, a_as), (b, b_as) = map(_seen_through, node.args)
    out, out_as = _seen_through(node.kwargs.get("out"))
    views = [*node.args, *node.kwargs.values()]
    node.target = product_of(a_as, b_as, out_as)
    node.args, node.kwargs = (a, b), {} if out is None else {"out": out}
    while views:
        view = views.pop()
        if isinstance(view, fx.Node) and view.target in _SEEN_THROUGH and not view.users:
            views.append(view.args[0])
            view.graph.erase_node(view)


_SEEN_THROUGH = {*VIEWS, TRANSPOSE}


def _seen_through(given: Any) -> tuple[Any, View]:
    """What ``given`` is a view of, if of anything, and what makes the view of it."""
    steps: list[fx.Node] = []
    while isinstance(given, fx.Node) and given.target in _SEEN_THROUGH:
        steps.insert(0, given)
        given = given.args[0]
    calls: list[tuple[Any, tuple[Any, ...]]] = [(step.target, step.args[1:]) for step in steps]

    def view(tensor: Tensor) -> Tensor:
        for target, rest in calls:
            tensor = target(tensor, *rest)
        return tensor

    return given, view


def _is_float32(node: Any) -> bool:
    return bool(node.meta["tensor_meta"].dtype == torch.float32)


class _Layouts(fx.Interpreter):
    """Runs the kernels to see how tensors lie, and says of each product how its result is to."""

    def __init__(self, traced: fx.GraphModule, products: Sequence[fx.Node]) -> None:
        super().__init__(traced)
        self._products = set(products)
        self._seen: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        if n in self._products and "out" not in n.kwargs:
            like = self._beside(n)
            if like is not None:
                n.kwargs = {"turned": like.stride(1) == 1 != like.stride(2)}
        made = super().run_node(n)
        if isinstance(made, Tensor):
            self._seen[n] = made
        return made

    def _beside(self, n: fx.Node) -> Tensor | None:
        """A tensor of the shape of the result of ``n`` that is there by now, to be put together with it."""
        shape = n.meta["tensor_meta"].shape
        others = (m for user in n.users for m in user.all_input_nodes if m is not n)
        seen = (self._seen[m] for m in others if m in self._seen)
        return next((tensor for tensor in seen if tensor.shape == shape), None)
