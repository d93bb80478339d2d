"""Independent draws, uniform on each knob's own scale: the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from search.samplers.base import Blind, Sampler, generator

if TYPE_CHECKING:
    from search.samplers.base import Proposer, Scope


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Random(Sampler):
    """Learns nothing from what was measured: other samplers are to beat it."""

    kind: Literal["random"] = "random"

    def proposer(self, scope: Scope) -> Proposer:
        many = len(scope.knobs)
        return Blind(scope, lambda ask: generator(scope.seed, ask.candidate).random(many).tolist())
