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
    buffers: int = 0
    """How many of the last tensors are no parameters: running statistics, which nothing trains."""

    @property
    def carried(self) -> slice:
        """The columns of the buffers."""
        end = sum(self.sizes)
        return slice(sum(self.sizes[: len(self.names) - self.buffers]), end)

    @property
    def last_matrix(self) -> slice:
        """The columns of the last matrix, row by row: the last layer's weights, a row for each class."""
        start = sum(self.sizes[: self._last])
        return slice(start, start + self.sizes[self._last])

    @property
    def head(self) -> tuple[int, int]:
        """Classes and features: the shape of the last matrix."""
        classes, features = self.shapes[self._last]
        return classes, features

    @property
    def head_columns(self) -> slice:
        """The columns of the last matrix and of the biases that follow it."""
        at = self.last_matrix
        return slice(at.start, at.stop + self.head[0])

    @property
    def _last(self) -> int:
        return max(i for i, shape in enumerate(self.shapes) if len(shape) == 2)

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
    """Where each parameter of ``model`` lies, and after them each buffer of floats.

    Whole-number buffers are taken to be constants, as the counters of batch normalisation may be
    while its momentum is a number.

    Raises:
        ValueError: if its running statistics are means of all batches so far.
    """
    layers = (m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))  # noqa: SLF001 - the only common base
    if any(layer.momentum is None for layer in layers):
        raise ValueError("batch normalisation needs a momentum, got momentum=None")
    buffers = [(n, b) for n, b in model.named_buffers() if b.is_floating_point()]
    named = [*model.named_parameters(), *buffers]
    shapes = tuple(tuple(tensor.shape) for _, tensor in named)
    return Layout(tuple(name for name, _ in named), shapes, len(buffers))
