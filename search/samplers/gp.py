"""Gaussian processes and the expected hypervolume improvement: few, expensive candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from optuna.samplers import BaseSampler, GPSampler
from optuna.study import StudyDirection
from pydantic import Field
from threadpoolctl import ThreadpoolController

from search.samplers.base import Sampler
from search.samplers.optunas import OptunaSampler
from search.samplers.tpe import best_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from spaces.fronts import Costs


SAMPLES = 16
"""Draws from the processes over which the improvement is a mean. Optuna's number is 128.

For each the space that the front and what still runs leave free is parted into boxes, which is two
thirds of what an ask costs with Optuna's numbers; to fit the processes is a twentieth."""

POINTS = 512
"""Points at which the improvement is looked at before it is climbed. Optuna's number is 2,048."""

SEARCHES = 5
"""Points from which it is climbed. Optuna's number is 10."""


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Gp(OptunaSampler):
    """Log EHVI over one process an objective (Ament et al., NeurIPS 2023; Daulton et al., 2020).

    ``startup`` complete candidates are drawn at random first. Only knobs that every complete
    candidate has are modelled; others are drawn at random. An ask takes a tenth to a sixth of a second
    at 100 candidates (a sixth of what it does with Optuna's own numbers, see ``SAMPLES``) and would
    grow with their cube, so that at most ``most`` are modelled: the best half of so many by rank and
    hypervolume, and for the rest others evenly over the study. The number is ours. For studies whose
    candidates take many seconds; what share of the time goes into asking is said as a study runs.
    """

    startup: Annotated[int, Field(ge=1)] = 10
    most: Annotated[int, Field(ge=2)] = 100
    kind: Literal["gp"] = "gp"

    def optuna_sampler(self, seed: int) -> BaseSampler:
        return _OneThread(
            self.most, n_startup_trials=self.startup, seed=seed, warn_independent_sampling=False
        )


class _OneThread(GPSampler):
    """Models at most so many candidates, and keeps the numerical libraries to one thread.

    Their threads fight over small matrices: 5 s an ask instead of 0.4 s on two busy cores. One
    thread also makes sums, and so proposals, independent of how many cores there are.
    """

    def __init__(self, most: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._most = most
        self._n_qmc_samples_ehvi = self._n_qmc_samples_qei = SAMPLES
        self._n_preliminary_samples = POINTS
        self._n_local_search = SEARCHES

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # Only libraries already loaded can be limited, and Optuna loads this one as it goes.
        import scipy.optimize  # noqa: F401, PLC0415 - costs every start of the program 0.1 s

        with ThreadpoolController().limit(limits=1):
            return super().sample_relative(study, trial, search_space)

    def _sample_relative_impl(
        self,
        study: Study,
        completed_trials: list[FrozenTrial],
        running_trials: list[FrozenTrial],
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        signs = [1.0 if d == StudyDirection.MINIMIZE else -1.0 for d in study.directions]
        costs = np.array([t.values for t in completed_trials], dtype=np.float64) * signs
        few = [completed_trials[row] for row in modelled(costs, self._most)]
        return super()._sample_relative_impl(study, few, running_trials, search_space)


def modelled(costs: Costs, most: int) -> list[int]:
    """Which rows of ``costs`` [n, objectives] stand for all of them: at most ``most``, ascending."""
    if len(costs) <= most:
        return list(range(len(costs)))
    best = best_of(costs, np.zeros(len(costs)), most // 2)
    others = np.setdiff1d(np.arange(len(costs)), best)
    spread = np.linspace(0, len(others) - 1, most - len(best)).astype(np.int64)
    return sorted({*best, *others[spread].tolist()})
