"""Independent draws, uniform on each knob's own scale: the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optuna.samplers import RandomSampler

from search.samplers.base import Ask, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Random(Sampler):
    """Learns nothing from what was measured: other samplers are to beat it."""

    kind: Literal["random"] = "random"

    def optuna_sampler(self, ask: Ask) -> BaseSampler:
        return RandomSampler(seed=ask.own_seed)
