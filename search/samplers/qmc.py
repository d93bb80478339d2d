"""A low-discrepancy sequence: covers the space more evenly than chance, and learns nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch.quasirandom import SobolEngine

from search.samplers.base import Blind, Sampler

if TYPE_CHECKING:
    from torch import Tensor

    from search.samplers.base import Ask, Proposer, Scope, Sort


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Qmc(Sampler):
    """The n-th candidate of its sort is point n of a scrambled Sobol sequence over all knobs.

    Students and further averages of a student count apart, and have sequences of their own: every
    eighth point of one sequence would lie in an eighth of the space.

    Knobs are those of all options. One that is not in play leaves its coordinate unused, so a
    conditional space is covered as evenly as any. (Optuna's own QMC sampler takes its dimensions
    from the first finished trial and draws every knob which that one lacked at random.) Scrambling:
    Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 1998. Even after powers of 2.
    """

    kind: Literal["qmc"] = "qmc"

    def proposer(self, scope: Scope) -> Proposer:
        names = sorted(scope.knobs)  # whatever the order in which the file has them
        columns = [names.index(name) for name in scope.knobs]
        sequences: dict[Sort, _Points] = {
            "whole": _Points(scope.seed, 0, len(names)),
            "part": _Points(scope.seed, 1, len(names)),
        }

        def ways(ask: Ask) -> Sequence[float]:
            point = sequences[ask.sort].point(ask.place)
            return [point[column] for column in columns]

        return Blind(scope, ways)


class _Points:
    """A scrambled sequence in [0, 1)^dimensions, of which a block is kept."""

    BLOCK = 256

    def __init__(self, seed: int, part: int, dimensions: int) -> None:
        self._seed = int(np.random.SeedSequence((seed, part)).generate_state(1)[0])
        self._dimensions = max(1, dimensions)
        self._block, self._points = -1, list[list[float]]()

    def point(self, number: int) -> list[float]:
        block, place = divmod(number, self.BLOCK)
        if block != self._block:
            self._block, self._points = block, self._drawn(block)
        return self._points[place]

    def _drawn(self, block: int) -> list[list[float]]:
        # torch annotates neither of these two.
        engine = SobolEngine(self._dimensions, scramble=True, seed=self._seed)  # type: ignore[no-untyped-call]
        engine.fast_forward(block * self.BLOCK)  # type: ignore[no-untyped-call]
        drawn: Tensor = engine.draw(self.BLOCK, dtype=torch.float64)
        return drawn.tolist()
