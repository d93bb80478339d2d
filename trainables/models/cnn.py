"""A small convolutional network, with normalisation that stacks or with batch normalisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from trainables.models.base import Model


@Model.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Cnn(Model):
    """For images [C, H, W]: a block for each of ``channels``, then one linear layer.

    A block is a 3 x 3 convolution, normalisation, ReLU, and the mean of each 2 x 2 pixels; so that
    n blocks need a height and a width of at least 2**n. ``norm`` is group normalisation (Wu & He,
    arXiv:1803.08494) in gcd(4, channels) groups, or batch normalisation (Ioffe & Szegedy,
    arXiv:1502.03167), whose running statistics keep members from being trained as a stack: they
    are trained one after the other, many times slower.

    In multiples of 16 channels a network alone and the same one in a stack agree to the last
    bit on the CPU (torch 2.13, measured); in other numbers a stack of one rounds differently
    from a stack of two or more, which agree among themselves.
    """

    channels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (16, 32)
    norm: Literal["group", "batch"] = "group"
    kind: Literal["cnn"] = "cnn"

    def network(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        least = 2 ** len(self.channels)
        if len(inputs) != 3 or min(inputs[1:]) < least:
            raise ValueError(
                f"a cnn of {len(self.channels)} blocks takes images [channels, height, width] "
                f"of at least {least} x {least}, got {inputs=}"
            )
        blocks = [
            _block(c_in, c_out, self.norm) for c_in, c_out in pairwise((inputs[0], *self.channels))
        ]
        height, width = (side // least for side in inputs[1:])
        last = nn.Linear(self.channels[-1] * height * width, classes)
        return nn.Sequential(*blocks, nn.Flatten(), last)


def _block(c_in: int, c_out: int, norm: str) -> nn.Module:
    groups = math.gcd(4, c_out)
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size=3, padding=1),
        nn.GroupNorm(groups, c_out) if norm == "group" else nn.BatchNorm2d(c_out),
        nn.ReLU(),
        nn.AvgPool2d(2),
    )
