"""Stacks: the weights of M models as one matrix, and where each tensor lies in a row of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

LINE = 16
"""Floats in the longest vector register and in a cache line (64 bytes): rows are whole lines."""

Weights: TypeAlias = dict[str, Tensor]
"""The tensors of ONE model, by name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A row holds every tensor of a model one after the other, then zeros up to ``width``.

    Rows being whole cache lines, elementwise arithmetic on a stack [M, width] treats a member the
    same wherever it stands.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def width(self) -> int:
        return -(-sum(self.sizes) // LINE) * LINE

    def views(self, row: Tensor) -> Weights:
        """The tensors in ``row`` [width], sharing its memory."""
        # One split, whose backward is one concatenation; a slice each would each write a row.
        parts = torch.split(row, [*self.sizes, self.width - sum(self.sizes)])
        return {n: p.view(s) for n, s, p in zip(self.names, self.shapes, parts, strict=False)}

    def row(self, weights: Weights) -> Tensor:
        """The row that holds ``weights``. Float32 [width]."""
        row = torch.zeros(self.width)
        for name, view in self.views(row).items():
            view.copy_(weights[name])
        return row


def layout_of(model: nn.Module) -> Layout:
    """Where each parameter of ``model`` lies.

    Raises:
        ValueError: if the model has buffers, as batch normalisation has: they do not stack.
    """
    buffers = [name for name, _ in model.named_buffers()]
    if buffers:
        raise ValueError(f"a model whose buffers change does not stack, got {buffers=}")
    named = list(model.named_parameters())
    return Layout(tuple(n for n, _ in named), tuple(tuple(p.shape) for _, p in named))
