"""NSGA-II: an evolving population, selected by non-dominated rank and crowding distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from optuna.samplers import NSGAIISampler
from pydantic import Field

from search.samplers.base import Sampler
from search.samplers.optunas import OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Nsga2(OptunaSampler):
    """Crosses two parents knob by knob (Deb et al., IEEE Trans. Evolutionary Computation 2002).

    A generation is full when ``population`` candidates are complete. ``crossover`` is the chance
    that a child has two parents, ``mutation`` that a knob is drawn anew (None: one in the number of
    knobs). Only knobs that every complete candidate has are inherited; one inside an option is
    drawn at random, so where much is conditional ``tpe`` suits better.
    """

    population: Annotated[int, Field(ge=2)] = 32
    crossover: Annotated[float, Field(ge=0, le=1)] = 0.9
    mutation: Annotated[float, Field(ge=0, le=1)] | None = None
    kind: Literal["nsga2"] = "nsga2"

    def optuna_sampler(self, seed: int) -> BaseSampler:
        return NSGAIISampler(
            population_size=self.population,
            crossover_prob=self.crossover,
            mutation_prob=self.mutation,
            seed=seed,
        )
