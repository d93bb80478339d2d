"""What a gate is: which units of each layer are trained in a step, from what they answer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from spaces.families import Family


class Gate(Family):
    """Says of ONE member, pure, whose gradients pass: those of other units are 0 in this step.

    A unit is an output of a linear layer or a channel of a convolution, with its bias; the last
    layer and normalisation are never gated. An optimizer's memory and weight decay still move
    what is gated.

    Laws (``tests/contracts/test_cohorts.py``): each member evolves as it would alone.
    """

    __slots__ = ()

    def opened(self, sizes: Tensor, now: Mapping[str, Tensor]) -> Tensor:
        """Which units of a layer are trained. Bool [U].

        ``sizes`` [U] are the means over the batch (and over places, in a convolution) of the absolute
        values that each answers before the non-linearity; ``now`` has each schedule's scalar.
        """
        raise NotImplementedError
