"""Tree-structured Parzen estimator for several objectives (the default)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from optuna.samplers import TPESampler
from pydantic import Field

from search.samplers.base import Ask, Sampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Tpe(Sampler):
    """Draws where good candidates are dense and the others are not, one knob at a time.

    Good is a share of the candidates, by non-dominated rank and then by hypervolume (Ozaki et al.,
    "Multiobjective tree-structured Parzen estimator", JAIR 2022). A knob inside an option learns
    from the candidates that had it. Running candidates count as bad (constant liar), so that
    candidates asked for together differ.

    ``startup`` candidates (complete or pruned) are drawn at random before it begins; each knob is
    the best of ``draws`` draws.
    """

    startup: Annotated[int, Field(ge=1)] = 10
    draws: Annotated[int, Field(ge=1)] = 24
    kind: Literal["tpe"] = "tpe"

    def optuna_sampler(self, ask: Ask) -> BaseSampler:
        return TPESampler(
            n_startup_trials=self.startup, n_ei_candidates=self.draws, seed=ask.own_seed
        )
