"""What a sampler is: the record that says how candidates are proposed, and the proposer it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

from spaces.families import Family

if TYPE_CHECKING:
    from spaces.objectives import Objectives
    from spaces.space import Domain

Sort: TypeAlias = Literal["whole", "part"]
"""Whether all of a candidate's knobs are to be drawn, or some are held (another average of a student
that was drawn before)."""

Ending: TypeAlias = Literal["complete", "pruned", "failed"]
Knobs: TypeAlias = Mapping[str, Any]
"""Values by the knobs' names, of those in play."""

Pick: TypeAlias = "Callable[[str, Domain], Any]"
"""The value of a knob in play that is not held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a sampler knows of a study before anything is asked.

    ``knobs`` are all that the space has, by name, those inside options not chosen included.
    """

    knobs: Mapping[str, Domain]
    objectives: Objectives
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What is asked for. ``place`` is how many of its ``sort`` were asked for before.

    ``held`` are values of knobs that are not to be drawn; not all of them need be in play.
    """

    candidate: int
    place: int = 0
    sort: Sort = "whole"
    held: Knobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How a candidate ended; ``values``, one an objective, if and only if it is complete.

    ``limits`` are what it should have kept at or below 0, by name; ``at_rungs`` its objectives at
    each rung that it came to, by the number of finished tasks.
    """

    candidate: int
    state: Ending
    values: tuple[float, ...] | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    at_rungs: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    @property
    def excess(self) -> float:
        """What its limits add up to above 0: 0 if it kept them all."""
        return sum(max(0.0, over) for over in self.limits.values()) if self.limits else 0.0


class Proposer(Protocol):
    """A sampler at work in one study. All it knows it was asked, told, or replayed."""

    def begin(self, ask: Ask) -> Pick:
        """What proposes the knobs of a candidate that are not held."""
        ...

    def asked(self, ask: Ask, knobs: Knobs) -> dict[str, Any]:
        """Takes in what a candidate was given in the end.

        Returns, as JSON, what ``replay`` needs besides the knobs.
        """
        ...

    def replay(self, candidate: int, knobs: Knobs, attrs: Mapping[str, Any]) -> None:
        """Takes in a candidate from the ledger, running, as ``asked`` left it."""
        ...

    def tell(self, told: Told) -> None:
        """Takes in how a candidate ended."""
        ...

    def revise(self, told: Told) -> None:
        """Takes in what a complete candidate is worth by now, as if that had been told.

        What it was at its rungs stays as it was.
        """
        ...


class Sampler(Family):
    """Proposes the next candidate from those before it.

    Laws (``tests/contracts/test_samplers.py``): inside the space; a pure function of the seed, the
    candidate's number and what has been told, so that a study replayed from its ledger goes on as
    the one that never died; survives failures; all but ``random`` and ``qmc`` beat chance.
    """

    __slots__ = ()

    def proposer(self, scope: Scope) -> Proposer:
        """The sampler at work in a new study of that ``scope``."""
        raise NotImplementedError


class Blind:
    """Proposes how far along every knob's way a candidate lies, all knobs at once.

    It learns nothing from the past: ``ways`` is a function of the ask alone.
    """

    def __init__(self, scope: Scope, ways: Callable[[Ask], Sequence[float]]) -> None:
        self._scope, self._ways = scope, ways

    def begin(self, ask: Ask) -> Pick:
        return picker(self._scope, lambda: self._ways(ask))

    def asked(self, ask: Ask, knobs: Knobs) -> dict[str, Any]:
        del ask, knobs
        return {}

    def replay(self, candidate: int, knobs: Knobs, attrs: Mapping[str, Any]) -> None:
        pass

    def tell(self, told: Told) -> None:
        pass

    def revise(self, told: Told) -> None:
        pass


def picker(scope: Scope, ways: Callable[[], Sequence[float]]) -> Pick:
    """Picks the values at ``ways``, in the order of the scope's knobs; nobody asks for them if all are held."""
    found: dict[str, float] = {}

    def pick(name: str, domain: Domain) -> Any:
        if not found:
            found.update(zip(scope.knobs, ways(), strict=True))
        return domain.at(found[name])

    return pick


def generator(seed: int, candidate: int, stream: int = 0) -> np.random.Generator:
    """Randomness that belongs to this study and this candidate alone, of which it has many streams.

    Philox (Salmon et al., SC 2011) is keyed rather than seeded: a tenth of the time to set up.
    """
    key = (seed & _WORD) << 64 | (candidate & _WORD)
    return np.random.Generator(np.random.Philox(key=key, counter=stream << 192))


class Keyed:
    """The randomness of ``generator`` for one candidate after another: a tenth of its time."""

    def __init__(self, seed: int) -> None:
        bits = np.random.Philox(key=(seed & _WORD) << 64)
        self._bits, self._start, self._generator = bits, bits.state, np.random.Generator(bits)

    def of(self, candidate: int) -> np.random.Generator:
        """What ``generator`` would give, until the next candidate's is asked for."""
        self._start["state"]["key"][0] = candidate & _WORD
        self._bits.state = self._start
        return self._generator


_WORD = 2**64 - 1
