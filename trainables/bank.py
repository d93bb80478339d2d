"""A bank: K averages of every member of a cohort, fed by one training run, a block of steps at a time.

Averaging is linear: after n steps an average is ``decay`` times itself plus a weighted sum of the
n students of those steps, decay = prod(1 - w[j]) and the weight of student i
c[i] = w[i] prod_{j>i} (1 - w[j]). So the students of a block are kept, and all averages take them
in by one matrix product, instead of each passing over its memory at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from trainables.averagers import coefficients
from trainables.products import multiplier

if TYPE_CHECKING:
    from spaces.schedules.base import Table

BLOCK = 25
"""Steps in a block. Fixed, so that an average rounds alike in every cohort. Measured: fewer pass
over the averages more often, more fall out of the processor's cache."""

GROUP = 8
"""Averages in one product, always: so that an average rounds alike whatever others there are."""


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
        self.counts = [len(tables) for tables in weights]
        self._starts = {block.start: i for i, block in enumerate(blocks)}
        seen: dict[bytes, tuple[Table, Table]] = {}
        pairs = [[_compiled(table, blocks, seen) for table in tables] for tables in weights]
        device, most = students.device, max(self.counts)
        full = -(-most // GROUP) * GROUP
        self._coefficients = _padded([[c for c, _ in p] for p in pairs], full).to(device)
        self._decays = _padded([[d for _, d in p] for p in pairs], full).to(device)
        self.averages = students.unsqueeze(1).repeat(1, most, 1)
        self._careful = students.device.type != "cpu"
        self._multiply = multiplier(students)

    @torch.no_grad()
    def absorb_(self, block: range, students: Tensor) -> None:
        """Takes in the students [M, n, P] as they were after each step of ``block``."""
        if not self.averages.shape[1]:
            return
        number = self._starts[block.start]
        # On a CPU one member at a time: its students and the product stay in the cache. Elsewhere
        # all at once, and always carefully, since asking whether to would wait for the device.
        size = 1 if students.device.type == "cpu" else len(students)
        for at in range(0, len(students), size):
            part = slice(at, at + size)
            weights = self._coefficients[part, :, block.start : block.stop]
            self._take_in_(part, weights, self._decays[part, :, number], students[part])

    def _take_in_(self, part: slice, weights: Tensor, decays: Tensor, students: Tensor) -> None:
        averages = self.averages[part]
        for first in range(0, averages.shape[1], GROUP):
            rows = averages[:, first : first + GROUP]
            w, decay = weights[:, first : first + GROUP], decays[:, first : first + rows.shape[1]]
            new = self._multiply(w, students)
            # A row of the product touches every student, so one row tells of them all.
            if self._careful or not bool(new[:, 0].sum().isfinite()):
                self._careful = True
                self._mix_carefully_(rows, decay, w, students)
            else:
                torch.addcmul(new[:, : rows.shape[1]], rows, decay.unsqueeze(-1), out=rows)

    def _mix_carefully_(
        self, rows: Tensor, decay: Tensor, weights: Tensor, students: Tensor
    ) -> None:
        """The same as the plain product where all is finite; NaN only in averages that took one in."""
        finite = students.isfinite()
        new = self._multiply(weights, students.where(finite, 0))[:, : rows.shape[1]]
        struck = self._multiply((weights != 0).float(), (~finite).float())[:, : rows.shape[1]] > 0
        kept = decay.unsqueeze(-1)
        mixed = torch.where(kept == 0, new, torch.addcmul(new, rows, kept))
        rows.copy_(mixed.masked_fill(struck, torch.nan))

    def keep(self, rows: Sequence[Sequence[int]], members: Sequence[int]) -> None:
        """Of the member at each of ``members`` keeps the averages at ``rows``, and nothing else."""
        most = max((len(r) for r in rows), default=0)
        filled = [[*r, *[0] * (most - len(r))] for r in rows]
        wide = -(-most // GROUP) * GROUP
        device = self.averages.device
        at = torch.tensor(members, device=device, dtype=torch.long).unsqueeze(1)
        taken = torch.tensor(filled, device=device, dtype=torch.long).view(len(members), most)
        self.averages = self.averages[at, taken]
        self.counts = [len(r) for r in rows]
        self._coefficients = _widened(self._coefficients[at, taken], wide)
        self._decays = _widened(self._decays[at, taken], wide)
        self.look()

    def look(self) -> None:
        """Looks anew whether an average has ceased to be finite; to be called when they change."""
        cpu = self.averages.device.type == "cpu"
        self._careful = not cpu or not bool(self.averages.isfinite().all())

    def alive(self) -> Tensor:
        """The averages that mean something, member by member. Float32 [S, P]."""
        most = self.averages.shape[1]
        at = [m * most + k for m, count in enumerate(self.counts) for k in range(count)]
        rows = self.averages.flatten(0, 1)
        return rows if len(at) == len(rows) else rows[at]


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


def _compiled(
    table: Table, blocks: Sequence[range], seen: dict[bytes, tuple[Table, Table]]
) -> tuple[Table, Table]:
    """The weight of each student within its block [steps], and the decay of each block."""
    key = table.tobytes()
    if key not in seen:
        parts = [table[b.start : b.stop] for b in blocks]
        decays = np.array([np.prod(1 - part) for part in parts])
        seen[key] = np.concatenate([coefficients(part) for part in parts]), decays
    return seen[key]


def _padded(rows: list[list[Table]], width: int) -> Tensor:
    """[M, width, n], zeros where a member has fewer rows; rounded to float32 last."""
    length = next((len(table) for tables in rows for table in tables), 0)
    out = np.zeros((len(rows), width, length), dtype=np.float32)
    for m, tables in enumerate(rows):
        for k, table in enumerate(tables):
            out[m, k] = table
    return torch.from_numpy(out)


def _widened(rows: Tensor, width: int) -> Tensor:
    out = rows.new_zeros(len(rows), width, *rows.shape[2:])
    out[:, : rows.shape[1]] = rows
    return out
