"""Multilayer perceptron."""

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
class Mlp(Model):
    """Flattens its inputs; ReLU after each layer of ``hidden`` units. ``hidden: []`` is linear."""

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128, 128)
    kind: Literal["mlp"] = "mlp"

    def network(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in pairwise((math.prod(inputs), *self.hidden)):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        last = self.hidden[-1] if self.hidden else math.prod(inputs)
        return nn.Sequential(*layers, nn.Linear(last, classes))
