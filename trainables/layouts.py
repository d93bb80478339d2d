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

from trainables.binding import bind_
from trainables.graphs import call_directly_, kernels
from trainables.kernels import INTO, PRODUCT
from trainables.products import ours


def call_compiled_(traced: fx.GraphModule, arguments: Sequence[Tensor]) -> Callable[..., Tensor]:
    """The function that ``traced`` is of tensors like ``arguments``, multiplying by our own kernels.

    Where these are not to be had, or not made for, it multiplies as PyTorch does.
    """
    if ours(arguments[0]):
        _Layouts(traced, bind_all_(traced)).run(*arguments)
    return call_directly_(traced, arguments)


def bind_all_(traced: fx.GraphModule) -> list[fx.Node]:
    """The products that become ours: all of float32."""
    products = [n for n in kernels(traced) if _is_ours(n)]
    for node in products:
        bind_(node)
    return products


def _is_ours(node: fx.Node) -> bool:
    return node.target in {PRODUCT, INTO[PRODUCT]} and all(map(_is_float32, node.args))


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
                n.kwargs = {**n.kwargs, "turned": like.stride(1) == 1 != like.stride(2)}
        made = super().run_node(n)
        if isinstance(made, Tensor):
            self._seen[n] = made
        return made

    def _beside(self, n: fx.Node) -> Tensor | None:
        """A tensor of the shape of the result of ``n`` that is there by now, to be put together with it."""
        shape = n.meta["tensor_meta"].shape
        others = [m for user in n.users for m in user.all_input_nodes if m is not n]
        others = [m for m in (n.kwargs.get("mask"), *others) if isinstance(m, fx.Node)]
        seen = (self._seen[m] for m in others if m in self._seen)
        return next((tensor for tensor in seen if tensor.shape == shape), None)
