"""Gaussian processes and the expected hypervolume improvement: few, expensive candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from optuna.samplers import GPSampler
from pydantic import Field

from search.samplers.base import Ask, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Gp(Sampler):
    """Log EHVI over one process an objective (Ament et al., NeurIPS 2023; Daulton et al., 2020).

    ``startup`` complete candidates are drawn at random first. Only knobs that every complete
    candidate has are modelled; others are drawn at random. An ask takes about half a second at 100
    candidates and grows with their cube: for studies of at most a few hundred.
    """

    startup: Annotated[int, Field(ge=1)] = 10
    kind: Literal["gp"] = "gp"

    def optuna_sampler(self, ask: Ask) -> BaseSampler:
        return GPSampler(
            n_startup_trials=self.startup, seed=ask.own_seed, warn_independent_sampling=False
        )
