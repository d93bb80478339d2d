"""Optuna's samplers at work: an Optuna study in memory, fed by ask and tell."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.study import StudyDirection
from optuna.study._constrained_optimization import _CONSTRAINTS_KEY
from optuna.trial import Trial, TrialState, create_trial

from search.samplers.base import Ask, Ending, Knobs, Pick, Sampler, Scope, Told
from search.samplers.coordinates import coordinate, distribution, suggest, value

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATES: dict[Ending, TrialState] = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
_DIRECTIONS = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}


class OptunaSampler(Sampler):
    """A sampler that is one of Optuna's."""

    __slots__ = ()

    @abstractmethod
    def optuna_sampler(self, seed: int) -> BaseSampler:
        """A fresh one for one ask: it remembers nothing but what the study holds."""
        raise NotImplementedError

    def proposer(self, scope: Scope) -> OptunaStudy:
        return OptunaStudy(self, scope)


class OptunaStudy:
    """Each ask has a fresh sampler, seeded by the study's seed and the candidate's number.

    So one that is rebuilt by ``replay`` and ``tell`` in the ledger's order proposes what this one
    would have. What Optuna's sampler notes on the trial and on the study while it is asked
    (generations, parents), and the coordinates that their rounded values do not give back, travel
    in the ledger.
    """

    def __init__(self, sampler: OptunaSampler, scope: Scope) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every study it makes
        self._sampler, self._scope = sampler, scope
        self._storage = optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(
            storage=self._storage,
            study_name="equipoise",
            directions=[_DIRECTIONS[direction] for direction in scope.objectives.directions],
        )
        self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        self._numbers: dict[int, int] = {}
        self._noted: dict[str, Any] = {}
        self._trial: Trial

    def begin(self, ask: Ask) -> Pick:
        held = {name: self._coordinate(name, given) for name, given in ask.held.items()}
        self._noted = self._storage.get_study_system_attrs(self._study_id)
        self._study.sampler = self._fresh_sampler(ask.candidate, held)
        self._trial = trial = self._study.ask()
        self._numbers[ask.candidate] = trial.number
        return lambda name, domain: value(domain, suggest(trial, name, domain))

    def asked(self, ask: Ask, knobs: Knobs) -> dict[str, Any]:
        for name in [name for name in ask.held if name in knobs]:
            suggest(self._trial, name, self._scope.knobs[name])
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(
            self._study_id, self._numbers[ask.candidate]
        )
        trial = self._storage.get_trial(trial_id)
        notes = self._storage.get_study_system_attrs(self._study_id)
        lost = {n: x for n, x in trial.params.items() if self._coordinate(n, knobs[n]) != x}
        attrs = {
            "trial": trial.system_attrs,
            "study": {key: note for key, note in notes.items() if self._noted.get(key) != note},
            "coordinates": lost,
        }
        return {name: found for name, found in attrs.items() if found}

    def replay(self, candidate: int, knobs: Knobs, attrs: Mapping[str, Any]) -> None:
        kept = attrs.get("coordinates", {})
        params = {
            name: kept[name] if name in kept else self._coordinate(name, given)
            for name, given in knobs.items()
        }
        trial = create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions={name: distribution(self._scope.knobs[name]) for name in params},
            system_attrs=dict(attrs.get("trial", {})),
        )
        self._study.add_trial(trial)
        self._numbers[candidate] = len(self._numbers)
        for key, noted in attrs.get("study", {}).items():
            self._storage.set_study_system_attr(self._study_id, key, noted)

    def tell(self, told: Told) -> None:
        values = None if told.values is None else list(told.values)
        number = self._numbers[told.candidate]
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
        for (
            name,
            over,
        ) in told.limits.items():  # as Optuna's Trial.set_constraint: that trial is gone
            self._storage.set_trial_system_attr(trial_id, f"{_CONSTRAINTS_KEY}:{name}", over)
        self._study.tell(number, values, _STATES[told.state])

    def revise(self, told: Told) -> None:
        # Optuna has no way to do so: this is the trial that its samplers see.
        trial = self._study.get_trials(deepcopy=False)[self._numbers[told.candidate]]
        trial.values = list(told.values or ())
        trial.system_attrs |= {f"{_CONSTRAINTS_KEY}:{n}": over for n, over in told.limits.items()}

    def _fresh_sampler(self, candidate: int, held: dict[str, Any]) -> BaseSampler:
        seed = int(np.random.SeedSequence((self._scope.seed, candidate)).generate_state(1)[0])
        with warnings.catch_warnings():
            # Optuna's mark on NSGA-III and on holding knobs; both are pinned and tested here.
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = self._sampler.optuna_sampler(seed)
            return PartialFixedSampler(held, sampler) if held else sampler

    def _coordinate(self, name: str, given: Any) -> Any:
        return coordinate(self._scope.knobs[name], given)
