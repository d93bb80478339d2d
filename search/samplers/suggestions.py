"""Suggestions: what the sampler proposes, and what it is told of what became of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from search.samplers.base import Ask, Ending, Knobs, Sampler, Scope, Sort, Told
from search.samplers.coordinates import coordinate
from search.samplers.priors import Priors
from spaces.fillers import NONE
from spaces.space import knob_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spaces.fillers import Parts
    from spaces.objectives import Objectives
    from spaces.problems import Path
    from spaces.space import Domain, Space

NOTHING: Knobs = MappingProxyType({})
NOWHERE: Mapping[int, Sequence[float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Drawn:
    """One proposal: its ``knobs`` by name, the ``filled`` template, and what a replay needs.

    ``attrs`` is JSON: what the sampler asks to be kept, and whether part of the knobs was held or
    all were given.
    """

    knobs: dict[str, Any]
    filled: Any
    attrs: dict[str, Any]


class Suggestions:
    """A sampler at work in a study, fed by ask and tell; nothing in it is not also in the ledger.

    One that is rebuilt by ``replay`` and ``tell`` in the ledger's order proposes what this one
    would have.
    """

    def __init__(self, sampler: Sampler, space: Space, objectives: Objectives, seed: int) -> None:
        self._space, self._objectives = space, objectives
        self._knobs = space.knobs()
        scope = Scope(knobs=self._knobs, objectives=objectives, seed=seed)
        self._proposer, self._priors = sampler.proposer(scope), Priors(scope)
        self._states: dict[int, str] = {}
        self._known = 0
        self._asked: Counter[str] = Counter()

    def ask(self, candidate: int, fixed: Knobs = NOTHING, standing: Parts = NONE) -> Drawn:
        """The proposal for ``candidate``, with the knobs in ``fixed`` at the values given there.

        The other knobs are drawn as if those in ``fixed`` were no part of the space. ``standing``
        are the parts of the template that an earlier draw filled with ``fixed``, which are then
        known to be in play. Raises ``ValueError`` if ``candidate`` is known, or something in
        ``fixed`` is not a knob in play.
        """
        self._refuse_known(candidate)
        if not standing:
            for name, given in fixed.items():
                self._refuse_outside(name, given)
        sort: Sort = "part" if fixed else "whole"
        place = self._asked[sort]
        believed = self._priors.drawn(candidate, sort, place)
        held = {**believed, **fixed} if believed else fixed
        ask = Ask(candidate=candidate, place=place, sort=sort, held=held)
        propose = self._proposer.begin(ask)
        knobs = dict(fixed) if standing else {}

        def pick(path: Path, domain: Domain) -> Any:
            name = knob_name(path)
            knobs[name] = found = held[name] if name in held else propose(name, domain)
            return found

        filled = self._space.fill(pick, standing)
        if not fixed.keys() <= knobs.keys():
            idle = sorted(fixed.keys() - knobs.keys())
            raise ValueError(f"fixed knobs are in play, got {idle=} with {knobs=}")
        attrs = self._proposer.asked(ask, knobs)
        if fixed:
            attrs["sort"] = "part" if len(knobs) > len(fixed) else "given"
        if believed and any(name in knobs and name not in fixed for name in believed):
            attrs["believed"] = True
        self._note(candidate, attrs)
        return Drawn(knobs, filled, attrs)

    def tell(
        self,
        candidate: int,
        state: Ending,
        values: Sequence[float] | None = None,
        limits: Mapping[str, float] = NOTHING,
        *,
        at_rungs: Mapping[int, Sequence[float]] = NOWHERE,
    ) -> None:
        """What became of ``candidate``; ``values``, one an objective, if and only if complete.

        ``at_rungs`` are its objectives at the rungs that it came to, all finite, by finished tasks.
        ``limits`` are what it should have kept at or below 0, by name. Samplers that learn take one
        that did not for worse than one that did, and of two that did not the one whose limits above
        0 add up to more (``random`` and ``qmc`` learn nothing). Raises ``ValueError`` if a value is
        not finite: such a candidate is failed, not complete.
        """
        if (state == "complete") != (values is not None):
            raise ValueError(f"values are told with 'complete' alone, got {state=} {values=}")
        if values is not None and not all(map(math.isfinite, values)):
            raise ValueError(f"values are finite, else the state is 'failed', got {values=}")
        if values is not None and len(values) != len(self._objectives.names):
            many = len(self._objectives.names)
            raise ValueError(f"each of the {many} objectives has a value, got {values=}")
        if candidate not in self._states:
            raise ValueError(f"a candidate is told after it was asked for, got {candidate=}")
        if (known := self._states[candidate]) != "running":
            raise ValueError(f"a candidate ends once, got {candidate=} {state=} after {known=}")
        told = None if values is None else tuple(map(float, values))
        over = {name: float(by) for name, by in limits.items()}
        passed = {level: tuple(map(float, row)) for level, row in at_rungs.items()}
        ending = Told(candidate=candidate, state=state, values=told, limits=over, at_rungs=passed)
        self._proposer.tell(ending)
        self._priors.tell(ending)
        self._states[candidate] = state

    def revise(
        self, candidate: int, values: Sequence[float], limits: Mapping[str, float] = NOTHING
    ) -> None:
        """What a complete ``candidate`` is worth by now: as if that had been told.

        Raises ``ValueError`` if it is not complete.
        """
        if (known := self._states.get(candidate)) != "complete":
            raise ValueError(f"a candidate is revised once complete, got {candidate=} {known=}")
        told = tuple(map(float, values))
        over = {name: float(by) for name, by in limits.items()}
        worth = Told(candidate=candidate, state="complete", values=told, limits=over)
        self._proposer.revise(worth)
        self._priors.tell(worth)

    def replay(self, candidate: int, knobs: Knobs, attrs: Mapping[str, Any]) -> None:
        """Registers a candidate from the ledger, running, as ``ask`` left it."""
        self._refuse_known(candidate)
        self._proposer.replay(candidate, knobs, attrs)
        self._note(candidate, attrs)

    def know(
        self, knobs: Knobs, values: Sequence[float], limits: Mapping[str, float] = NOTHING
    ) -> None:
        """A complete candidate that was not asked for here: the sampler learns of it, none counts it."""
        self._known += 1
        number = -self._known  # no candidate's
        self._proposer.replay(number, knobs, {})
        told = Told(
            candidate=number,
            state="complete",
            values=tuple(map(float, values)),
            limits={name: float(by) for name, by in limits.items()},
        )
        self._proposer.tell(told)

    def counts(self) -> dict[str, int]:
        """How many candidates are ``running``, ``complete``, ``pruned`` and ``failed``."""
        found = Counter(self._states.values())
        return {state: found[state] for state in ("running", "complete", "pruned", "failed")}

    def _note(self, candidate: int, attrs: Mapping[str, Any]) -> None:
        self._states[candidate] = "running"
        sort = attrs.get("sort", "whole")
        followed = attrs.get("believed", False)
        self._priors.asked(candidate, sort, self._asked[sort], followed=followed)
        self._asked[sort] += 1

    def _refuse_outside(self, name: str, given: Any) -> None:
        if name not in self._knobs:
            raise ValueError(f"the space has the knobs {sorted(self._knobs)}, got {name=}")
        coordinate(self._knobs[name], given)

    def _refuse_known(self, candidate: int) -> None:
        if candidate in self._states:
            raise ValueError(f"a candidate is proposed once, got {candidate=} again")
