"""Tree-structured Parzen estimator for several objectives (the default)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from optuna.samplers import RandomSampler, TPESampler
from optuna.samplers._lazy_random_state import LazyRandomState
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import _split_trials, default_gamma_multiobjective
from optuna.trial import TrialState
from pydantic import Field

from search.samplers.base import Ask, Sampler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial


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
        kept: Prepared | None = ask.scratch.get("tpe")
        if kept is None:
            kept = Prepared(n_startup_trials=self.startup, n_ei_candidates=self.draws)
            ask.scratch["tpe"] = kept
        kept.begin(ask.own_seed)
        return kept


Space: TypeAlias = "dict[str, BaseDistribution]"
"""One knob, as Optuna's estimators take it."""

Column: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"
"""Numbers of trials, ascending, and a knob's value in each. Both [trials that have the knob]."""


class Prepared(TPESampler):
    """Optuna's own, to the last bit (``tests/search/test_tpe.py``), several times as fast.

    Optuna divides the trials into good and bad, and looks every value up, anew for each knob of
    each ask. Here that is done once for all asks between two tells. Optuna's parts are used,
    private as they are, for the arithmetic to be Optuna's.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._asked: int | None = None
        self._told: int | None = None
        self._running: list[FrozenTrial] = []
        self._past: _Past

    def begin(self, seed: int) -> None:
        """Before every ask: it draws as a sampler made for it with this seed would."""
        self._rng = LazyRandomState(seed)
        self._random_sampler = RandomSampler(seed=seed)
        self._asked = None

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        if len(study.directions) == 1:  # then Optuna draws knobs jointly, elsewhere
            return super().sample_independent(study, trial, param_name, param_distribution)
        past = self._look(study, trial)
        if past.size < self._n_startup_trials:
            return self._random_sampler.sample_independent(
                study, trial, param_name, param_distribution
            )
        space = {param_name: param_distribution}
        good, bad = self._good(past, space), self._bad(past, space)
        draws = good.sample(self._rng.rng, self._n_ei_candidates)
        best = self._compare(draws, self._compute_acquisition_func(draws, good, bad))
        return param_distribution.to_external_repr(best[param_name])

    def _look(self, study: Study, trial: FrozenTrial) -> _Past:
        """What is known when ``trial`` is asked for, and which others are running."""
        if self._asked != trial.number:
            trials = study.get_trials(deepcopy=False)
            running = [t for t in trials if t.state == TrialState.RUNNING]
            told = len(trials) - len(running)
            if self._told != told:
                self._past = _Past(study, trials)
            self._running = [t for t in running if t.number != trial.number]
            self._asked, self._told = trial.number, told
        return self._past

    def _good(self, past: _Past, space: Space) -> _ParzenEstimator:
        (name,) = space
        if name not in past.estimators:
            _, values = past.column("good", space)
            past.estimators[name] = _ParzenEstimator(
                {name: values}, space, self._parzen_estimator_parameters, np.ones(len(values))
            )
        return past.estimators[name]

    def _bad(self, past: _Past, space: Space) -> _ParzenEstimator:
        (name,) = space
        numbers, values = map(
            np.concatenate,
            zip(past.column("bad", space), _column(self._running, space), strict=True),
        )
        return _ParzenEstimator(
            {name: values[np.argsort(numbers)]}, space, self._parzen_estimator_parameters
        )


class _Past:
    """The finished trials, divided into good and bad: all that asks between two tells share."""

    def __init__(self, study: Study, trials: list[FrozenTrial]) -> None:
        judged = [t for t in trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        good, bad = _split_trials(study, judged, default_gamma_multiobjective(len(judged)))
        self.size = len(judged)
        self.estimators: dict[str, _ParzenEstimator] = {}
        self._sides = {"good": good, "bad": bad}
        self._columns: dict[tuple[str, str], Column] = {}

    def column(self, side: Literal["good", "bad"], space: Space) -> Column:
        (name,) = space
        if (side, name) not in self._columns:
            self._columns[side, name] = _column(self._sides[side], space)
        return self._columns[side, name]


def _column(trials: Iterable[FrozenTrial], space: Space) -> Column:
    ((name, distribution),) = space.items()
    having = [(t.number, t.params) for t in trials]
    rows = [(n, distribution.to_internal_repr(p[name])) for n, p in having if name in p]
    numbers, values = zip(*rows, strict=True) if rows else ((), ())
    return np.array(numbers, dtype=np.int64), np.array(values, dtype=np.float64)
