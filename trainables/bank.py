"""A bank: K averages of every member of a cohort, fed by one training run, a block of steps at a time.

Averaging is linear: after n steps an average is ``decay`` times itself plus a weighted sum of the
n students of those steps, decay = prod(1 - w[j]) and the weight of student i
c[i] = w[i] prod_{j>i} (1 - w[j]). So the students of a block are kept, and all averages take them
in at once, instead of each passing over its memory at every step. How, ``trainables/absorbing.py``
says where kernels are compiled, and ``trainables/mixing.py`` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor

from trainables import mixing
from trainables.averagers import coefficients
from trainables.products import ours

if TYPE_CHECKING:
    from spaces.schedules.base import Table

BLOCK = 25
"""Steps in a block. Fixed, so that an average rounds alike in every cohort. Measured: fewer pass
over the averages more often, more fall out of the processor's cache."""

TakeIn: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor], None]
"""Averages [M, K, P], their decays [M, W] and weights [n, M, W], students [M, n, P]."""


class Bank:
    """Averages float32 [M, K, P] of students [M, P].

    ``weights`` holds, for each member, the table of each of its averagers: float64 [steps]. A
    member with fewer averages than others, or none, has rows that mean nothing.

    Laws (``tests/trainables/test_bank.py``): equal to taking in every student by itself in float64
    to 1e-5 of the largest; a student that is not finite reaches no average that skips it or that
    copies a later one; the same bits whatever the other members and averages are.
    """

    def __init__(
        self, weights: Sequence[Sequence[Table]], blocks: Sequence[range], students: Tensor
    ) -> None:
        tables, self._numbers = _numbered(weights, np.zeros(blocks[-1].stop))
        self._starts = {block.start: i for i, block in enumerate(blocks)}
        shares, decays = _of_blocks(tables, blocks)
        decays[:, 0] = 0  # what is not finite does not last in rows that mean nothing
        self._shares = torch.from_numpy(shares).to(students.device)
        self._decays = torch.from_numpy(decays).to(students.device)
        self._places = _filled(self._numbers).to(students.device)
        self.averages = students.unsqueeze(1).repeat(1, max(self.counts), 1)
        self._take_in_ = _way(students)

    @property
    def counts(self) -> list[int]:
        """How many averages of each member mean something: its first ones."""
        return [len(numbers) for numbers in self._numbers]

    @torch.no_grad()
    def absorb_(self, block: range, students: Tensor) -> None:
        """Takes in the students [M, n, P] as they were after each step of ``block``."""
        if not self.averages.shape[1]:
            return
        shares, places = self._shares[block.start : block.stop], self._places
        weights = shares.index_select(1, places.flatten()).view(len(block), *places.shape)
        decays = self._decays[self._starts[block.start]][places]
        self._take_in_(self.averages, decays, weights, students)

    def keep(self, rows: Sequence[Sequence[int]], members: Sequence[int]) -> None:
        """Of the member at each of ``members`` keeps the averages at ``rows``, and nothing else."""
        (count, old, width), most = self.averages.shape, max((len(r) for r in rows), default=0)
        pairs = list(zip(members, rows, strict=True))
        taken = [m * old + k for m, r in pairs for k in (*r, *[0] * (most - len(r)))]
        self._numbers = [[self._numbers[m][k] for k in r] for m, r in pairs]
        self._places = _filled(self._numbers).to(self._places.device)
        if (len(members), taken) != (count, list(range(count * old))):
            self.averages = _picked(self.averages, taken).view(len(members), most, width)

    def alive(self) -> Tensor:
        """The averages that mean something, member by member. Float32 [S, P]."""
        most = self.averages.shape[1]
        at = [m * most + k for m, count in enumerate(self.counts) for k in range(count)]
        rows = self.averages.flatten(0, 1)
        return rows if len(at) == len(rows) else _picked(self.averages, at)


def absorb_(average: Tensor, student: Tensor, w: Tensor, host: Table) -> None:
    """average[m] <- average[m] + w[m] (student[m] - average[m]), both [M, P], for one step.

    ``w`` [M, 1] lies on the device; its numbers are among those of ``host``, float64. Not one lerp over all: lerp by 0 would let a
    diverged student into an average that skips this step, and lerp by 1 keep what a copy clears.
    """
    if not host.any():
        return
    if ((host > 0) & (host < 1)).all():
        average.lerp_(student, w)
        return
    mixed = torch.where(w == 1, student, torch.lerp(average, student, w))
    average.copy_(torch.where(w == 0, average, mixed))


def _way(students: Tensor) -> TakeIn:
    """How blocks of students like these are taken in."""
    if not ours(students):
        return mixing.take_in_
    from trainables import absorbing  # noqa: PLC0415 - llvmlite need not be there

    return absorbing.take_in_


def _numbered(
    weights: Sequence[Sequence[Table]], nothing: Table
) -> tuple[list[Table], list[list[int]]]:
    """The tables that differ, and which of them each average has; number 0 takes in ``nothing``."""
    tables = [nothing]
    numbers: dict[bytes, int] = {}
    for table in (table for tables in weights for table in tables):
        if numbers.setdefault(table.tobytes(), len(tables)) == len(tables):
            tables.append(table)
    return tables, [[numbers[table.tobytes()] for table in tables] for tables in weights]


def _of_blocks(tables: Sequence[Table], blocks: Sequence[range]) -> tuple[Table, Table]:
    """The weight of each student within its block [steps, U], and the decay of each block [blocks, U].

    Float32, rounded last.
    """
    lengths = np.array([len(block) for block in blocks])
    there = np.arange(lengths.max()) < lengths[:, np.newaxis]
    apart = np.zeros((len(tables), *there.shape))  # a shorter block ends with skips
    apart[:, there] = tables
    shares, decays = coefficients(apart)[:, there], np.prod(1 - apart, axis=2)
    return (
        np.ascontiguousarray(shares.T, dtype=np.float32),
        np.ascontiguousarray(decays.T, dtype=np.float32),
    )


def _filled(numbers: Sequence[Sequence[int]]) -> Tensor:
    """The numbers of tables in whole groups of averages, 0 where there is none. Int64 [M, W]."""
    most = max((len(of) for of in numbers), default=0)
    width = -(-most // mixing.GROUP) * mixing.GROUP
    rows = [[*of, *[0] * (width - len(of))] for of in numbers]
    return torch.tensor(rows, dtype=torch.long).view(len(rows), width)


def _picked(averages: Tensor, rows: Sequence[int]) -> Tensor:
    """Of averages [M, K, P] those at ``rows``, counted on from member to member. [S, P]."""
    places = torch.tensor(rows, device=averages.device, dtype=torch.long)
    return averages.flatten(0, 1).index_select(0, places)
