"""Kernels by what may be done with them: the names that traced programs are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import ops

_aten = ops.aten
TRANSPOSE = _aten.transpose.int
PRODUCT = _aten.bmm.default

VIEWS = {
    _aten.view.default,
    _aten._unsafe_view.default,  # noqa: SLF001 - the name of a kernel
}
RESHAPES = {_aten.expand.default, _aten.reshape.default, *VIEWS}
LOOKS: set[Any] = {
    TRANSPOSE,
    *VIEWS,
    _aten.expand.default,
    _aten.permute.default,
    _aten.squeeze.dims,
    _aten.squeeze.dim,
    _aten.unsqueeze.default,
    _aten.select.int,
    _aten.slice.Tensor,
    _aten.t.default,
    _aten.detach.default,
    _aten.alias.default,
    _aten.split_with_sizes.default,
    _aten.split.Tensor,
    _aten.unbind.int,
}
"""Kernels that give another look at the numbers they are given."""

CONSTANTS = {
    _aten.ones_like.default,
    _aten.zeros_like.default,
    _aten.full_like.default,
    _aten.new_zeros.default,
    _aten.new_ones.default,
    _aten.new_full.default,
    _aten.zeros.default,
    _aten.ones.default,
    _aten.full.default,
    _aten.scalar_tensor.default,
    _aten.arange.default,
    _aten.arange.start,
    _aten.arange.start_step,
}
SOFTMAXES = {  # and where each says along which axis
    _aten._softmax.default: 1,  # noqa: SLF001 - likewise
    _aten._log_softmax.default: 1,  # noqa: SLF001
    _aten._softmax_backward_data.default: 2,  # noqa: SLF001
    _aten._log_softmax_backward_data.default: 2,  # noqa: SLF001
}
INTO = {PRODUCT: _aten.bmm.out, _aten.sum.dim_IntList: _aten.sum.IntList_out}
OVER: dict[Any, tuple[Any, str | None]] = {
    _aten.add.Tensor: (_aten.add.out, "out"),
    _aten.sub.Tensor: (_aten.sub.out, "out"),
    _aten.mul.Tensor: (_aten.mul.out, "out"),
    _aten.relu.default: (_aten.relu_.default, None),
    _aten.threshold_backward.default: (_aten.threshold_backward.grad_input, "grad_input"),
}
"""Kernels of one number at a time, what writes their results into a tensor, and what that calls it.

None: that writes over the only tensor it is given."""
DIRECT: dict[Any, Callable[..., Any]] = {
    PRODUCT: torch.bmm,
    TRANSPOSE: torch.transpose,
    _aten.bmm.out: torch.bmm,
    _aten.empty.memory_format: torch.empty,
    _aten.squeeze.dims: torch.squeeze,
    _aten.sum.dim_IntList: torch.sum,
    _aten.sum.IntList_out: torch.sum,
    _aten.add.Tensor: torch.add,
    _aten.sub.Tensor: torch.sub,
    _aten.mul.Tensor: torch.mul,
    _aten.add.out: torch.add,
    _aten.sub.out: torch.sub,
    _aten.mul.out: torch.mul,
    _aten.div.Tensor: torch.div,
    _aten.neg.default: torch.neg,
    _aten.exp.default: torch.exp,
    _aten.relu.default: torch.relu,
    _aten.relu_.default: torch.relu_,
    _aten.where.self: torch.where,
    _aten.view.default: torch.Tensor.view,
    _aten.expand.default: torch.Tensor.expand,
    _aten.reshape.default: torch.reshape,
    _aten.permute.default: torch.permute,
    _aten.unsqueeze.default: torch.unsqueeze,
    _aten.split_with_sizes.default: torch.split_with_sizes,
    _aten.copy_.default: torch.Tensor.copy_,
    _aten.scatter_add.default: torch.scatter_add,
    _aten.convolution.default: torch.convolution,
    _aten._softmax.default: torch._softmax,  # noqa: SLF001
    _aten._log_softmax.default: torch._log_softmax,  # noqa: SLF001
    _aten._softmax_backward_data.default: torch._softmax_backward_data,  # noqa: SLF001
    _aten._log_softmax_backward_data.default: torch._log_softmax_backward_data,  # noqa: SLF001
}
"""The same kernels by the names they have in ``torch``, which take half the time to call."""
