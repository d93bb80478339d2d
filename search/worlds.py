"""Worlds: what a simulated worker would measure of candidates, and how long it would take.

A search on a virtual clock asks a world instead of training: a recorded table through its surrogate
(``search/surrogates.py``), or one whose front is known in closed form (``Arc``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from spaces.domains import Range
from spaces.space import Domain

Knobs: TypeAlias = Mapping[str, Any]
"""A candidate's knobs in play by name, as the ledger has them."""

Triangles: TypeAlias = NDArray[np.float64]
"""Accuracies a[k][i] on task i once task k was learnt: [n, tasks, tasks], NaN where i > k.

A candidate that diverges in task k has NaN in row k and all after it.
"""


class World(Protocol):
    """What a simulated worker would measure, and how long it would take. The same every time."""

    def accuracy(self, candidates: Sequence[Knobs], seed: int) -> Triangles:
        """Of each candidate, trained with ``seed``: other seeds differ by what seeds do."""
        ...

    def seconds(self, members: Sequence[Sequence[Knobs]], task: int) -> float:
        """Device-seconds that a job takes to train and judge ``task``.

        ``members[m]`` are the candidates alive that are averages of student m.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Arc:
    """A world whose front is a quarter circle: plasticity**2 + stability**2 = 1.

    The knob ``trade`` (a range of the space ``knobs``) moves along it, at ``t`` in [0, 1] of its way:
    plasticity = r cos(t pi/2), stability = r sin(t pi/2). Here 1 - r is ``depth`` times the mean, over the
    other knobs in play, of the squared distance from the middle of the way, (2u - 1)**2. What is known of
    old tasks goes from the one to the other: a[k][i] = p + (s - p) k / (K - 1) for i < k. ``noise`` is the
    standard deviation of r over seeds; r stays in [0, 1]. A job takes ``job`` seconds, ``member`` more for each student and
    ``average`` for each average. With the reference (0, 0) the front's hypervolume is pi / 4.

    Raises:
        ValueError: if ``trade`` is no range of the space, or there is but one task.
    """

    knobs: Mapping[str, Domain]
    trade: str
    tasks: int = 5
    depth: float = 1.0
    noise: float = 0.0
    job: float = 1.0
    member: float = 0.1
    average: float = 0.01
    _others: tuple[str, ...] = field(init=False, repr=False)

    hypervolume: ClassVar[float] = math.pi / 4

    def __post_init__(self) -> None:
        if not isinstance(self.knobs.get(self.trade), Range):
            raise ValueError(f"trade: a range of the space is due, got {self.trade!r}")  # noqa: TRY004 - it is the value that has no such type
        if self.tasks < 2:
            raise ValueError(f"a trade-off takes at least two tasks, got {self.tasks=}")
        others = tuple(name for name in self.knobs if name != self.trade)
        object.__setattr__(self, "_others", others)

    def accuracy(self, candidates: Sequence[Knobs], seed: int) -> Triangles:
        found = [self._ends(knobs, seed) for knobs in candidates]
        p, s = np.array(found, dtype=np.float64).reshape(-1, 2).T
        row, column = np.indices((self.tasks, self.tasks))
        old = p[:, None, None] + (s - p)[:, None, None] * row / (self.tasks - 1)
        known = np.where(row == column, p[:, None, None], old)
        return np.where(row < column, np.nan, known)

    def seconds(self, members: Sequence[Sequence[Knobs]], task: int) -> float:
        del task
        return self.job + self.member * len(members) + self.average * sum(map(len, members))

    def _ends(self, knobs: Knobs, seed: int) -> tuple[float, float]:
        ways = [self.knobs[n].way(knobs[n]) for n in self._others if n in knobs]
        waste = float(np.mean([(2 * u - 1) ** 2 for u in ways])) if ways else 0.0
        radius = 1 - self.depth * waste + self.noise * float(luck(knobs, seed)[0])
        angle = self.knobs[self.trade].way(knobs[self.trade]) * math.pi / 2
        radius = min(max(radius, 0.0), 1.0)
        return radius * math.cos(angle), radius * math.sin(angle)


LUCKS = 16
"""How many numbers of chance belong to a candidate and a seed."""


def luck(knobs: Knobs, seed: int) -> NDArray[np.float64]:
    """Standard normal numbers that belong to ``knobs`` and ``seed`` alone, in any process. [LUCKS]."""
    said = repr((seed, sorted(knobs.items())))
    words = np.frombuffer(blake2b(said.encode()).digest(), dtype="<u4")
    normal: NDArray[np.float64] = ndtri((words + 0.5) / 2**32)
    return normal
