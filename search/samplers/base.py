"""What a sampler is: the record that says which of Optuna's samplers proposes, and how it is set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from spaces.families import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.samplers import BaseSampler

    from spaces.space import Domain


Sort: TypeAlias = Literal["whole", "part"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """All that a sampler may know when a candidate is asked for, apart from the study's past.

    ``sort`` is ``whole`` if all its knobs are to be drawn, ``part`` if some are held (another average
    of a student that was drawn before); ``place`` is how many of its sort were asked for before.
    ``knobs`` are all that the space has, by name, those inside options not chosen included. In
    ``scratch``, the same for every ask of a study, a sampler may keep what it worked out of the
    study's past, to have it sooner and not otherwise.
    """

    seed: int
    candidate: int
    place: int = 0
    sort: Sort = "whole"
    knobs: Mapping[str, Domain] = field(default_factory=dict)
    scratch: dict[str, Any] = field(default_factory=dict)

    @property
    def own_seed(self) -> int:
        """A seed that belongs to this study and this candidate alone, in [0, 2**32)."""
        return int(np.random.SeedSequence((self.seed, self.candidate)).generate_state(1)[0])


class Sampler(Family):
    """Proposes the next candidate from those before it.

    Laws (``tests/contracts/test_samplers.py``): inside the space; a pure function of the seed, the
    candidate's number and what has been told, so that a study replayed from its ledger goes on as
    the one that never died; survives failures; all but ``random`` and ``qmc`` beat chance.
    """

    __slots__ = ()

    def optuna_sampler(self, ask: Ask) -> BaseSampler:
        """A fresh Optuna sampler for this one ask: it remembers nothing but what the study holds."""
        raise NotImplementedError
