"""A device without float64, as Apple's are, played by the CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Narrow(TorchDispatchMode):
    """Raises where a float64 tensor is made of others, unless all of these are on the host.

    There are those that ``Tensor.cpu`` brought there, those that are made of no other, and what is
    made of such alone. All that was made before is on the device.
    """

    def __init__(self, monkeypatch):
        super().__init__()
        self._host = {}
        cpu = Tensor.cpu

        def watched(tensor):
            there = cpu(tensor).clone()
            self._take(there)
            return there

        monkeypatch.setattr(Tensor, "cpu", watched)

    def __torch_dispatch__(self, kernel, types, args=(), kwargs=None):
        out = kernel(*args, **(kwargs or {}))
        # A list that indexes becomes a tensor, unseen, wherever what it indexes is.
        looked_at = args[:1] if kernel is torch.ops.aten.index.Tensor else (args, kwargs)
        given = [t for t in tree_leaves(looked_at) if isinstance(t, Tensor)]
        made = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        if any(isinstance(t, FakeTensor) for t in (*given, *made)):
            return out  # traced, not computed
        if all(t.untyped_storage().data_ptr() in self._host for t in given):
            for tensor in made:
                self._take(tensor)
        elif _double(made) and not _double(given):  # what is float64 was on the host already
            raise AssertionError(f"float64 on a device that has none: {kernel}")
        return out

    def _take(self, tensor):
        self._host[tensor.untyped_storage().data_ptr()] = (
            tensor  # held, so that no other lies there
        )


def _double(tensors):
    return any(t.dtype == torch.float64 for t in tensors)
