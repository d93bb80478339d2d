"""Slopes: the derivative of a function of tensors, as another function that can be mapped and traced.

PyTorch's own ``torch.func.grad`` first imports its compiler, symbolic algebra and all, to make sure that the compiler
keeps out: 0.8 seconds and 800 modules in each worker, for nothing. Here the same steps are taken without
(``tests/trainables/test_slopes.py``: the same kernels in the same order). They have no public names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch._functorch.eager_transforms import (
    _create_differentiable,
    _undo_create_differentiable,
    _wrap_all_tensors,
    grad_increment_nesting,
)

Function: TypeAlias = Callable[..., Tensor]
Rest: TypeAlias = Sequence[Tensor]

HOOKED = "slopes are taken without hooks on saved tensors, such as checkpoints of activations"


def slope(of: Function) -> Function:
    """The derivative of ``of``, a tensor of one number, with respect to its first argument."""

    def alone(*arguments: Tensor) -> tuple[Tensor, Rest]:
        return of(*arguments), ()

    both = slope_and_rest(alone)
    return lambda *arguments: both(*arguments)[0]


def slope_and_rest(
    of: Callable[..., tuple[Tensor, Rest]],
) -> Callable[..., tuple[Tensor, Rest]]:
    """The derivative of the first that ``of`` gives with respect to its first argument; and the rest as it is.

    Where that does not depend on the argument, it is 0. Whether slopes are kept outside does not matter.

    Raises:
        RuntimeError: if the first that ``of`` gives is not one number.
    """

    def taken(*arguments: Tensor) -> tuple[Tensor, Rest]:
        hooks = torch.autograd.graph.disable_saved_tensors_hooks(HOOKED)
        with hooks, grad_increment_nesting() as level, torch.enable_grad():
            first, *others = _wrap_all_tensors(arguments, level)
            _create_differentiable(first, level)
            result, rest = of(first, *others)
            found = _slope(result, first)
            return _undo_create_differentiable(found, level), _plain(rest, level)

    return taken


def _slope(result: Tensor, first: Tensor) -> Tensor:
    if not result.requires_grad:
        return torch.zeros_like(first)
    (found,) = torch.autograd.grad(result, first, create_graph=True, allow_unused=True)
    return torch.zeros_like(first) if found is None else found


def _plain(rest: Rest, level: int) -> Rest:
    plain: Any = _undo_create_differentiable(tuple(rest), level)
    return tuple(plain)
