"""Blurry digits: some classes belong to one task each, others turn up a little in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from trainables.scenarios.base import Scenario
from trainables.scenarios.blurring import Blurring, Homes
from trainables.scenarios.digits import CLASSES


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class BlurryDigits(Blurring):
    """i-Blurry-N-M (Koh et al., ICLR 2022, arXiv:2110.10031) with N = ``disjoint``, M = ``blur``.

    The classes come in an order drawn from ``seed``, disjoint and blurry ones alternating as
    evenly as their numbers allow, and are parted evenly among the tasks. N = 0.5, M = 0.1 and five
    tasks are the paper's; the length of a task, in optimizer steps, is ours.
    """

    kind: Literal["blurry_digits"] = "blurry_digits"

    def homes(self, rng: torch.Generator) -> Homes:
        place = torch.randperm(CLASSES, generator=rng)
        disjoint = self.disjoint_classes()
        # Steps of a line of that slope: exactly so many, spread evenly.
        steps = (place + 1) * disjoint // CLASSES - place * disjoint // CLASSES
        return Homes(task=place * self.tasks // CLASSES, blurry=steps == 0)
