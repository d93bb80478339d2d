"""Suggestions: the next candidate, asked of Optuna and told what became of it."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.study import StudyDirection
from optuna.study._constrained_optimization import _CONSTRAINTS_KEY
from optuna.trial import TrialState, create_trial

from search.samplers.base import Ask, Sampler, Sort
from search.samplers.coordinates import coordinate, distribution, suggest, value
from spaces.space import knob_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spaces.objectives import Objectives
    from spaces.problems import Path
    from spaces.space import Domain, Space

Ending: TypeAlias = Literal["complete", "pruned", "failed"]
NOTHING: Mapping[str, Any] = MappingProxyType({})
_STATES: dict[Ending, TrialState] = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
_DIRECTIONS = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One proposal: its ``knobs`` by name, the ``filled`` template, and what a replay needs.

    ``attrs`` is JSON: what Optuna's sampler noted on the trial and on the study while it was asked
    (generations, parents), the coordinates that their rounded values do not give back, and whether
    part of the knobs was held or all were given.
    """

    knobs: dict[str, Any]
    filled: Any
    attrs: dict[str, Any]


class Suggestions:
    """An Optuna study in memory, fed by ask and tell; nothing in it is not also in the ledger.

    Each ask has a fresh sampler, seeded by the study's seed and the candidate's number. So one that
    is rebuilt by ``replay`` and ``tell`` in the ledger's order proposes what this one would have.
    """

    def __init__(self, sampler: Sampler, space: Space, objectives: Objectives, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every study it makes
        self._sampler, self._space, self._seed = sampler, space, seed
        self._knobs = space.knobs()
        self._storage = optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(
            storage=self._storage,
            study_name="equipoise",
            directions=[_DIRECTIONS[direction] for direction in objectives.directions],
        )
        self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        self._numbers: dict[int, int] = {}
        self._scratch: dict[str, Any] = {}
        self._asked: Counter[str] = Counter()

    def ask(self, candidate: int, fixed: Mapping[str, Any] = NOTHING) -> Drawn:
        """The proposal for ``candidate``, with the knobs in ``fixed`` at the values given there.

        The other knobs are drawn as if those in ``fixed`` were no part of the space. Raises
        ``ValueError`` if ``candidate`` is known, or something in ``fixed`` is not a knob in play.
        """
        self._refuse_known(candidate)
        held = {name: self._coordinate(name, given) for name, given in fixed.items()}
        noted = self._storage.get_study_system_attrs(self._study_id)
        self._study.sampler = self._fresh_sampler(candidate, held)
        trial = self._study.ask()
        self._numbers[candidate] = trial.number
        knobs: dict[str, Any] = {}

        def pick(path: Path, domain: Domain) -> Any:
            name = knob_name(path)
            knobs[name] = fixed.get(name, value(domain, suggest(trial, name, domain)))
            return knobs[name]

        _, filled = self._space.draw(pick)
        idle = sorted(held.keys() - knobs.keys())
        if idle:
            raise ValueError(f"fixed knobs are in play, got {idle=} with {knobs=}")
        attrs = self._attrs(trial.number, knobs, noted)
        if held:
            attrs["sort"] = "part" if knobs.keys() - held.keys() else "given"
        self._asked[attrs.get("sort", "whole")] += 1
        return Drawn(knobs, filled, attrs)

    def tell(
        self,
        candidate: int,
        state: Ending,
        values: Sequence[float] | None = None,
        limits: Mapping[str, float] = NOTHING,
    ) -> None:
        """What became of ``candidate``; ``values``, one an objective, if and only if complete.

        ``limits`` are what it should have kept at or below 0, by name. Samplers that learn take one
        that did not for worse than one that did, and of two that did not the one whose limits above
        0 add up to more (``random`` and ``qmc`` learn nothing). Raises ``ValueError`` if a value is not finite: such a candidate is failed, not complete.
        """
        if (state == "complete") != (values is not None):
            raise ValueError(f"values are told with 'complete' alone, got {state=} {values=}")
        if values is not None and not all(map(math.isfinite, values)):
            raise ValueError(f"values are finite, else the state is 'failed', got {values=}")
        if candidate not in self._numbers:
            raise ValueError(f"a candidate is told after it was asked for, got {candidate=}")
        told = None if values is None else [float(v) for v in values]
        number = self._numbers[candidate]
        if limits:
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
            for (
                name,
                over,
            ) in limits.items():  # as Optuna's Trial.set_constraint: that trial is gone
                key = f"{_CONSTRAINTS_KEY}:{name}"
                self._storage.set_trial_system_attr(trial_id, key, float(over))
        self._study.tell(number, told, _STATES[state])

    def replay(self, candidate: int, knobs: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        """Registers a candidate from the ledger, running, as ``ask`` left it."""
        self._refuse_known(candidate)
        kept = attrs.get("coordinates", {})
        params = {
            name: kept[name] if name in kept else self._coordinate(name, given)
            for name, given in knobs.items()
        }
        trial = create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions={name: distribution(self._knobs[name]) for name in params},
            system_attrs=dict(attrs.get("trial", {})),
        )
        self._study.add_trial(trial)
        self._numbers[candidate] = len(self._numbers)
        self._asked[attrs.get("sort", "whole")] += 1
        for key, noted in attrs.get("study", {}).items():
            self._storage.set_study_system_attr(self._study_id, key, noted)

    def counts(self) -> dict[str, int]:
        """How many candidates are ``running``, ``complete``, ``pruned`` and ``failed``."""
        found = Counter(trial.state for trial in self._study.get_trials(deepcopy=False))
        states = {"running": TrialState.RUNNING} | _STATES
        return {name: found[state] for name, state in states.items()}

    def _fresh_sampler(self, candidate: int, held: dict[str, Any]) -> BaseSampler:
        sort: Sort = "part" if held else "whole"
        ask = Ask(
            seed=self._seed,
            candidate=candidate,
            sort=sort,
            place=self._asked[sort],
            knobs=self._knobs,
            scratch=self._scratch,
        )
        with warnings.catch_warnings():
            # Optuna's mark on NSGA-III and on holding knobs; both are pinned and tested here.
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = self._sampler.optuna_sampler(ask)
            return PartialFixedSampler(held, sampler) if held else sampler

    def _coordinate(self, name: str, given: Any) -> Any:
        if name not in self._knobs:
            raise ValueError(f"the space has the knobs {sorted(self._knobs)}, got {name=}")
        return coordinate(self._knobs[name], given)

    def _attrs(self, number: int, knobs: dict[str, Any], noted: dict[str, Any]) -> dict[str, Any]:
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
        trial = self._storage.get_trial(trial_id)
        notes = self._storage.get_study_system_attrs(self._study_id)
        attrs = {
            "trial": trial.system_attrs,
            "study": {key: note for key, note in notes.items() if noted.get(key) != note},
            "coordinates": {
                name: x for name, x in trial.params.items() if self._lost(name, knobs[name], x)
            },
        }
        return {name: found for name, found in attrs.items() if found}

    def _lost(self, name: str, given: Any, x: Any) -> bool:
        """Whether the value does not give back the coordinate, bit for bit."""
        return bool(coordinate(self._knobs[name], given) != x)

    def _refuse_known(self, candidate: int) -> None:
        if candidate in self._numbers:
            raise ValueError(f"a candidate is proposed once, got {candidate=} again")
