"""Si-Blurry digits: blurry, and how many classes of which sort a task has is left to chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from trainables.scenarios.base import Scenario
from trainables.scenarios.blurring import Blurring, Homes
from trainables.scenarios.digits import CLASSES


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class SiBlurryDigits(Blurring):
    """Stochastic incremental blurry boundaries (Moon et al., ICCV 2023, arXiv:2308.09303).

    The classes come in an order drawn from ``seed``, which of them are disjoint is drawn too, and
    the order is cut into tasks at random places: tasks differ in size and in how many of their
    classes are blurry. N = ``disjoint`` = 0.5, M = ``blur`` = 0.1 and five tasks are the paper's. Its cut
    points, drawn for disjoint and blurry classes apart, may leave a task without classes; ours are
    drawn from one order and all different, so that every task has a class to be validated on. The
    length of a task, in optimizer steps, is ours and the same for all.
    """

    kind: Literal["si_blurry_digits"] = "si_blurry_digits"

    def homes(self, rng: torch.Generator) -> Homes:
        place = torch.randperm(CLASSES, generator=rng)
        cuts = torch.randperm(CLASSES - 1, generator=rng)[: self.tasks - 1].sort().values + 1
        rank = torch.randperm(CLASSES, generator=rng)
        return Homes(
            task=torch.bucketize(place, cuts, right=True),
            blurry=rank >= self.disjoint_classes(),
        )
