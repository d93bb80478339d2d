"""Precisions: in which floats a student's network computes while it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Literal, ParamSpec, TypeAlias

import torch
from torch import Tensor

from trainables.stacks import Weights

Precision: TypeAlias = Literal["float32", "bfloat16"]

P = ParamSpec("P")
Network: TypeAlias = Callable[Concatenate[Weights, Tensor, P], Tensor]
"""What a network answers with such weights to x [B, *inputs], whatever else it is given."""


def computed_in(precision: Precision, of: Network[P]) -> Network[P]:
    """``of``, computed in ``precision``; what it answers is float32 all the same.

    With bfloat16 matrix products and convolutions round what they are given to 8 bits, forwards and
    (as autograd takes the same casts back) backwards: ``torch.autocast``. Which kernels those are is
    PyTorch's choice for each device. The weights stay float32 and so do the gradients that reach
    them, the loss, the optimizer's memory, teachers and averages.
    """
    if precision == "float32":
        return of

    def low(weights: Weights, x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        # No cache: it would hand casts of one mapped or traced call to the next.
        with torch.autocast(x.device.type, torch.bfloat16, cache_enabled=False):
            answers = of(weights, x, *args, **kwargs)
        return answers.float()

    return low
