"""Gating: what each unit of a network answers, and the mask over its weights that a gate makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from trainables.gates import Gate
from trainables.stacks import Layout

Sizes: TypeAlias = dict[str, Tensor]
"""By a layer's name, the mean absolute answer of each of its units. [U]."""


def gated(network: nn.Module) -> dict[str, nn.Module]:
    """The layers that a gate looks at, by name."""
    last = list(network.children())[-1]
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer is not last
    }


@contextmanager
def measured(network: nn.Module) -> Iterator[Sizes]:
    """Within it a forward of ``network`` notes the sizes of all its layers but the last."""
    sizes: Sizes = {}
    hooks = [
        layer.register_forward_hook(partial(_note, sizes, name))
        for name, layer in gated(network).items()
    ]
    try:
        yield sizes
    finally:
        for hook in hooks:
            hook.remove()


def _note(sizes: Sizes, name: str, layer: nn.Module, given: Any, answers: Tensor) -> None:
    del given
    units = -1 if isinstance(layer, nn.Linear) else 1
    # Along a row: sums down the columns round by how many columns there are.
    sizes[name] = answers.abs().movedim(units, 0).flatten(1).contiguous().mean(-1)


def mask_of(gate: Gate, layout: Layout, sizes: Sizes, now: Mapping[str, Tensor]) -> Tensor:
    """1 where a gradient passes, 0 where not. Float32 [P]."""
    opened = {name: gate.opened(of, now) for name, of in sizes.items()}
    like = next(iter(sizes.values()))
    parts = []
    for name, shape, size in zip(layout.names, layout.shapes, layout.sizes, strict=True):
        units = opened.get(name.rpartition(".")[0])
        ones = like.new_ones(size)
        parts.append(
            ones if units is None else (ones.view(shape[0], -1) * units[:, None]).flatten()
        )
    return torch.cat([*parts, like.new_ones(layout.width - sum(layout.sizes))])
