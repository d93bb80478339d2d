"""Gaussian processes and the expected hypervolume improvement: few, expensive candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from optuna.samplers import BaseSampler, GPSampler
from pydantic import Field
from threadpoolctl import ThreadpoolController

from search.samplers.base import Sampler
from search.samplers.optunas import OptunaSampler

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Gp(OptunaSampler):
    """Log EHVI over one process an objective (Ament et al., NeurIPS 2023; Daulton et al., 2020).

    ``startup`` complete candidates are drawn at random first. Only knobs that every complete
    candidate has are modelled; others are drawn at random. An ask takes about half a second at 100
    candidates and grows with their cube: for studies of at most a few hundred.
    """

    startup: Annotated[int, Field(ge=1)] = 10
    kind: Literal["gp"] = "gp"

    def optuna_sampler(self, seed: int) -> BaseSampler:
        return _OneThread(n_startup_trials=self.startup, seed=seed, warn_independent_sampling=False)


class _OneThread(GPSampler):
    """Keeps the numerical libraries to one thread.

    Their threads fight over small matrices: 5 s an ask instead of 0.4 s on two busy cores. One
    thread also makes sums, and so proposals, independent of how many cores there are.
    """

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # Only libraries already loaded can be limited, and Optuna loads this one as it goes.
        import scipy.optimize  # noqa: F401, PLC0415 - costs every start of the program 0.1 s

        with ThreadpoolController().limit(limits=1):
            return super().sample_relative(study, trial, search_space)
