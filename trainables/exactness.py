"""What makes a member's arithmetic the same to the last bit whoever trains beside it.

Members lie side by side in one batched matrix product. Where that is compiled here
(``trainables/products.py``) each number is a sum of its own, in one order. Elsewhere on CPUs it is MKL's, and by
default it picks its kernel by how a matrix happens to lie in memory, so that a member whose
matrices are not whole 64-byte lines would round differently at another place in its cohort.
``STRICT`` (Intel's conditional numerical reproducibility) takes that choice away; it was measured
to cost nothing on matrices of this size.

A product of a single matrix may take yet another road. It takes the same one, measured on thousands
of shapes and on every way to lie in memory, when there is one thread and neither factor is a
vector; and so do convolutions of more than one image to multiples of 16 channels. A program of these
and of kernels that look at one number, column or row at a time runs a lone row as it is. Any other
computes a lone row twice over.
"""

from __future__ import annotations

import os

import torch
from torch import fx, ops

# Read by MKL at its first product, so this module is imported by all that multiply stacks.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

LEAST_ROWS = 2
"""From this many rows on a row rounds alike whatever their number."""

_aten = ops.aten
PRODUCT = _aten.bmm
CONVOLUTIONS = {_aten.convolution: 1, _aten.convolution_backward: 2}
"""And which of their arguments is the weights, [channels, ...]."""

LINE = 16
"""Channels of a convolution in a vector register."""

INDEPENDENT = {
    *(_aten.add, _aten.sub, _aten.mul, _aten.div, _aten.neg, _aten.exp, _aten.square, _aten.pow),
    *(_aten.relu, _aten.threshold_backward, _aten.where, _aten.eq, _aten.gather, _aten.scatter_add),
    *(_aten._softmax, _aten._softmax_backward_data),  # noqa: SLF001 - names of kernels
    *(_aten._log_softmax, _aten._log_softmax_backward_data),  # noqa: SLF001
    *(_aten.sum, _aten.split_with_sizes, _aten.empty, _aten.copy_, _aten.cat, _aten.detach),
    *(_aten.view, _aten._unsafe_view, _aten.reshape, _aten.expand, _aten.clone),  # noqa: SLF001
    *(_aten.native_group_norm, _aten.avg_pool2d, _aten.avg_pool2d_backward, _aten.reciprocal_),
    *(_aten.permute, _aten.unsqueeze_, _aten.new_empty, _aten.fill_, _aten.relu_),
    *(_aten.transpose, _aten.unsqueeze, _aten.squeeze, _aten.select, _aten.slice, _aten.t),
}
"""Kernels of which a lone row is known to come out as among others."""


def rounds_alike_alone(traced: fx.GraphModule) -> bool:
    """Whether a program of one row gives the bits that the row would have among others."""
    kernels = [n for n in traced.graph.nodes if n.op == "call_function"]
    return torch.get_num_threads() == 1 and all(map(_is_alike, kernels))


def _is_alike(node: fx.Node) -> bool:
    packet = getattr(node.target, "overloadpacket", None)
    if packet is PRODUCT:
        return min(_size(node, 0, axis=1), _size(node, 1, axis=2)) > 1
    if packet in CONVOLUTIONS:
        weights, batch = (_size(node, at) for at in (CONVOLUTIONS[packet], 0))
        return weights % LINE == 0 and batch > 1
    return packet is None or packet in INDEPENDENT  # else it takes a tuple apart


def _size(node: fx.Node, at: int, *, axis: int = 0) -> int:
    """How long the argument ``at`` of a kernel is along ``axis``."""
    given = node.args[at]
    assert isinstance(given, fx.Node)
    return int(given.meta["tensor_meta"].shape[axis])
