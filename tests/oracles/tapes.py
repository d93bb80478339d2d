"""A recorder as a CUDA graph is one, on any device: the kernels, on the very memory they were called on.

What a replay does not do is what a graph does not do either: run Python, ask what is in a tensor, or
look where anything lies now.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape:
    """Records kernels; a kernel that made new tensors is replayed into those."""

    def __init__(self):
        self.warmed = self.recorded = self.replayed = 0

    def warm(self, act):
        self.warmed += 1
        act()

    def record(self, act):
        """The act runs once to be recorded; what it wrote is put back, as recording does nothing."""
        kernels = _Kernels()
        with kernels:
            act()
        for tensor, before in kernels.before:
            tensor.copy_(before)
        self.recorded += 1

        def replay():
            self.replayed += 1
            for kernel, args, kwargs, out in kernels.calls:
                _again(kernel, args, kwargs, out)

        return replay


def _again(kernel, args, kwargs, out):
    fresh = kernel(*args, **kwargs)
    if kernel._schema.is_mutable or kernel.is_view:
        return
    for old, new in zip(tree_leaves(out), tree_leaves(fresh), strict=True):
        old.copy_(new)


class _Kernels(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls, self.before, self._made = [], [], set()

    def __torch_dispatch__(self, kernel, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if kernel is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        if kernel._schema.is_mutable:
            for tensor in tree_leaves((args, kwargs)):
                self._remember(tensor)
        out = kernel(*args, **kwargs)
        self._made |= {t.untyped_storage().data_ptr() for t in tree_leaves(out)} - {
            t.untyped_storage().data_ptr()
            for t in tree_leaves((args, kwargs))
            if isinstance(t, Tensor)
        }
        self.calls.append((kernel, args, kwargs, out))
        return out

    def _remember(self, tensor):
        """How what was there before the recording was, the first time that it may be written to."""
        if isinstance(tensor, Tensor):
            where = tensor.untyped_storage().data_ptr()
            if where not in self._made:
                self._made.add(where)
                whole = tensor.new_empty(0).set_(tensor.untyped_storage())
                self.before.append((whole, whole.clone()))
