"""A low-discrepancy sequence: covers the space more evenly than chance, and learns nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from optuna.samplers import BaseSampler
from torch.quasirandom import SobolEngine

from search.samplers.base import Ask, Sampler
from search.samplers.coordinates import coordinate

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@Sampler.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Qmc(Sampler):
    """The n-th candidate of its sort is point n of a scrambled Sobol sequence over all knobs.

    Students and further averages of a student count apart, and have sequences of their own: every
    eighth point of one sequence would lie in an eighth of the space.

    Knobs are those of all options. One that is not in play leaves its coordinate unused, so a conditional space is covered as
    evenly as any. (Optuna's own QMC sampler takes its dimensions from the first finished trial and
    draws every knob which that one lacked at random.) Scrambling: Owen, "Scrambling Sobol' and
    Niederreiter-Xing points", J. Complexity 1998. Even after powers of 2.
    """

    kind: Literal["qmc"] = "qmc"

    def optuna_sampler(self, ask: Ask) -> BaseSampler:
        return _Point(ask)


class _Point(BaseSampler):
    """One point of the sequence, handed out knob by knob."""

    def __init__(self, ask: Ask) -> None:
        # torch annotates neither of these two.
        seed = int(np.random.SeedSequence((ask.seed, ask.sort == "part")).generate_state(1)[0])
        engine = SobolEngine(max(1, len(ask.knobs)), scramble=True, seed=seed)  # type: ignore[no-untyped-call]
        engine.fast_forward(ask.place)  # type: ignore[no-untyped-call]
        point = engine.draw(dtype=torch.float64)[0].tolist()
        self._knobs = ask.knobs
        self._at = dict(zip(sorted(ask.knobs), point, strict=False))

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        del study, trial, search_space
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        del study, trial, param_distribution
        domain = self._knobs[param_name]
        return coordinate(domain, domain.at(self._at[param_name]))
