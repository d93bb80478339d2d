"""What a model is: a network for given inputs and classes, its weights drawn from a generator."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import nn

from spaces.families import Family


class Model(Family):
    """A kind writes ``network``; ``build`` gives it weights.

    Models stack, which is what makes many of them cheap to train together, unless their networks
    have buffers or they say that they do not; those are trained one after the other.

    Laws (``tests/contracts/test_models.py``): logits [B, classes] from x [B, *inputs]; equal
    generators give equal weights; the global random state is neither read nor moved; in ``eval``
    each sample's logits depend on that sample alone; gradients exist under ``torch.func``, of
    models that stack under ``vmap`` too.
    """

    __slots__ = ()
    stacks: ClassVar[bool] = True
    """False for networks whose forward asks for the values of tensors (``if x.sum() > 0``)."""

    def network(self, inputs: tuple[int, ...], classes: int) -> nn.Module:
        """The layers, for x [B, *inputs] and logits [B, classes]; their weights are not read.

        Raises:
            ValueError: if the model cannot take such inputs.
        """
        raise NotImplementedError

    def body(self, network: nn.Module) -> nn.Module:
        """``network`` without its last layer, which is its last child: what makes the features.

        Raises:
            TypeError: if the network is no sequence of layers and its kind does not say more.
        """
        if not isinstance(network, nn.Sequential):
            raise TypeError(f"a {type(self).__name__} does not say which layers make its features")
        return network[:-1]

    def build(self, inputs: tuple[int, ...], classes: int, generator: torch.Generator) -> nn.Module:
        """The network, its weights drawn from ``generator``, on the generator's device."""
        # On the meta device the layers' own initialisation computes nothing and leaves the
        # global random state alone.
        with torch.device("meta"):
            network = self.network(inputs, classes)
        return draw_(_allocated(network, generator.device), generator)


def _allocated(network: nn.Module, device: torch.device) -> nn.Module:
    """``network.to_empty(device=device)``, which imports symbolic algebra for a tensor like one that has no memory."""

    def like(tensor: torch.Tensor) -> torch.Tensor:
        return torch.empty(tensor.shape, dtype=tensor.dtype, device=device)

    made: nn.Module = network._apply(like)  # type: ignore[no-untyped-call] # noqa: SLF001 - as ``to_empty`` does
    return made


def draw_(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Draws the weights of every layer, in order, by the law of ``torch.nn``'s own layers.

    Weights and biases of linear and convolutional layers are uniform in +-1/sqrt(fan_in)
    (Kaiming's uniform law with a = sqrt(5)); normalisation starts as the identity.

    Raises:
        TypeError: if a layer of another type has weights.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            for weights in layer.parameters(recurse=False):
                nn.init.uniform_(weights, -bound, bound, generator=generator)
        elif isinstance(layer, nn.GroupNorm | nn.LayerNorm | nn.BatchNorm1d | nn.BatchNorm2d):
            layer.reset_parameters()
        elif any(True for _ in layer.parameters(recurse=False)):
            raise TypeError(f"draw_ has no law for the weights of {type(layer).__name__}")
    return network
