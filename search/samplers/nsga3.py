"""NSGA-III: NSGA-II that spreads by reference directions, for three objectives and more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from optuna.samplers import NSGAIIISampler
from pydantic import Field

from search.samplers.base import Sampler
from search.samplers.optunas import OptunaSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Nsga3(OptunaSampler):
    """Deb & Jain, IEEE Trans. Evolutionary Computation 2014; knobs as in ``nsga2``.

    ``divisions`` of each objective's axis make the directions: d + 1 for two objectives,
    (d + 1) (d + 2) / 2 for three.
    """

    population: Annotated[int, Field(ge=2)] = 32
    crossover: Annotated[float, Field(ge=0, le=1)] = 0.9
    mutation: Annotated[float, Field(ge=0, le=1)] | None = None
    divisions: Annotated[int, Field(ge=1)] = 12
    kind: Literal["nsga3"] = "nsga3"

    def optuna_sampler(self, seed: int) -> BaseSampler:
        return NSGAIIISampler(
            population_size=self.population,
            crossover_prob=self.crossover,
            mutation_prob=self.mutation,
            dividing_parameter=self.divisions,
            seed=seed,
        )
