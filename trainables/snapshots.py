"""Snapshots: power-law averages of the students, kept so that other averages can be made of them.

The power law is that of Karras et al. (arXiv:2312.02696, eq. 1): student t of n has a share of
t^(gamma + 1) - (t - 1)^(gamma + 1). There two such averages run from the first step to the last and
are copied now and then. Here they begin anew at every snapshot, so that each tells of the steps
since the one before alone; gammas 0, 1, ..., J - 1 then are all polynomials of degree below J in
t. Measured on 10 students of the default study and 60 of its averagers, two averages every 25 steps
each: as small errors (0.8 % of the way from the first weights, root mean square), of weights that
sum to 5 in size instead of 130, which is how much rounding grows; and there is nothing that a
checkpoint would have to carry. Only averages like those stored are better made of theirs.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from spaces.clock import Clock
from spaces.specs import Spec
from trainables.averagers import coefficients
from trainables.averagers.power import Power
from trainables.checkpoints import write
from trainables.cohort import Cohort
from trainables.posthoc import Shares

Gamma: TypeAlias = Annotated[float, Field(ge=0, le=200)]


class Interval(NamedTuple):
    """``shares`` [rows, steps] of its ``steps`` in the snapshots at ``rows`` of their task."""

    steps: range
    rows: slice
    shares: Shares


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshots(Spec):
    """Every ``every`` steps of a task and at its end, one average a gamma of the students since.

    The stream's first student, from which averages start, is kept by itself. An interval of fewer
    steps than gammas needs no more snapshots than it has steps. They are float32, 4 bytes a number:
    weights sum to 20 in size, so 16 bits would add 20 * 2**-11, more than what is to be measured.

    Measured on the default study: 1.14 times the time to train students with 8 averages each (1.03
    with 32), 92 rows of weights a student; of averages made against the same ones tracked,
    objectives are off by 0.003 (root mean square; 0.013 at most) for 11 students that the rungs
    kept, by 0.006 (0.055) for 16 unpruned ones, some of which hardly learn. Gammas (0, 1) keep 61
    rows and are off by half as much again; every 10 steps, 225 rows, by a third as much.
    """

    every: Annotated[int, Field(ge=1)] = 25
    gammas: Annotated[tuple[Gamma, ...], Field(min_length=1)] = (0.0, 1.0, 2.0)

    def __post_init__(self) -> None:
        if len(set(self.gammas)) < len(self.gammas):
            raise ValueError(f"gammas: each once, got {list(self.gammas)}")

    def intervals(self, clock: Clock) -> list[list[Interval]]:
        """Of each task, in order; none reaches into the next task."""
        edges = zip(clock.task_starts, clock.task_ends, strict=True)
        return [self._intervals(start, end) for start, end in edges]

    def profiles(self, clock: Clock) -> list[Shares]:
        """Of each task, the share of each of its steps in each snapshot. Float64 [rows, steps]."""
        return [_profiles(intervals) for intervals in self.intervals(clock)]

    def rows(self, clock: Clock) -> list[int]:
        """How many snapshots a student leaves in each task."""
        return [task[-1].rows.stop for task in self.intervals(clock)]

    def _intervals(self, start: int, end: int) -> list[Interval]:
        cuts = sorted({start, *([1] if start == 0 else []), *range(start, end, self.every), end})
        out: list[Interval] = []
        for a, b in pairwise(cuts):
            gammas = self.gammas[: b - a]
            first = out[-1].rows.stop if out else 0
            shares = np.stack([_shares(gamma, b - a) for gamma in gammas])
            out.append(Interval(range(a, b), slice(first, first + len(gammas)), shares))
        return out


class Album(NamedTuple):
    """The snapshots that are kept of a cohort, and the folder where they go."""

    snapshots: Snapshots
    folder: Path


class Kept(NamedTuple):
    """A member's ``snapshots`` [rows, P] of one task, and one average to measure others by.

    That is the ``average`` [P] of one ``seat``, as it was when the task was finished.
    """

    snapshots: Tensor
    seat: int
    average: Tensor


class Keeper:
    """Takes the snapshots of a cohort, which shows it every block, and saves them task by task.

    Law (``tests/trainables/test_snapshots.py``): a member's files are the same to the last bit
    whoever else is in the cohort, and whether or not it was resumed in between.
    """

    def __init__(self, album: Album, clock: Clock) -> None:
        self._starts = clock.task_starts
        self._intervals = album.snapshots.intervals(clock)
        self._folder = album.folder
        self._rows = torch.empty(0)

    @torch.no_grad()
    def observe(self, block: range, students: Tensor) -> None:
        """Takes in the students [M, n, P] as they were after each step of ``block``."""
        intervals = self._intervals[bisect(self._starts, block.start) - 1]
        if block.start in self._starts:
            height = intervals[-1].rows.stop
            self._rows = students.new_zeros(len(students), height, students.shape[-1])
        for steps, rows, shares in intervals:
            both = range(max(steps.start, block.start), min(steps.stop, block.stop))
            if both:
                here = shares[:, both.start - steps.start : both.stop - steps.start]
                weights = torch.from_numpy(here.astype(np.float32)).to(students.device)
                seen = students[:, both.start - block.start : both.stop - block.start]
                # One member at a time, so that each rounds alike in any company.
                for taken, of in zip(self._rows[:, rows], seen, strict=True):
                    taken.addmm_(weights, of)

    def save(self, cohort: Cohort) -> None:
        """Writes the files of the task just finished, one a member still alive.

        What is there was written before the job was cut and resumed, when averages may have been
        alive that are not now, and stays.
        """
        averages, seats, owners = cohort.averages, cohort.seats, cohort.owners
        for rows, member in zip(self._rows, dict.fromkeys(owners), strict=True):
            at, file = owners.index(member), file_of(self._folder, member, cohort.task - 1)
            if not file.exists():
                kept = Kept(rows.cpu().clone(), seats[at], averages[at].cpu().clone())
                write(kept._asdict(), file)


def read(folder: Path, member: int, task: int) -> Kept:
    """What was saved of ``member`` when ``task`` was finished.

    Raises:
        FileNotFoundError: if nothing was.
    """
    return Kept(**torch.load(file_of(folder, member, task), weights_only=True))


def folder_of(folder: Path, member: int) -> Path:
    """Where the files of one member lie."""
    return folder / f"member-{member:04d}"


def file_of(folder: Path, member: int, task: int) -> Path:
    """What was saved of one member when one task was finished."""
    return folder_of(folder, member) / f"task-{task:04d}.pt"


def _shares(gamma: float, steps: int) -> Shares:
    return coefficients(Power(gamma=gamma).weights(Clock(steps=steps)))


def _profiles(intervals: list[Interval]) -> Shares:
    first, last = intervals[0].steps.start, intervals[-1].steps.stop
    out = np.zeros((intervals[-1].rows.stop, last - first))
    for steps, rows, shares in intervals:
        out[rows, steps.start - first : steps.stop - first] = shares
    return out
