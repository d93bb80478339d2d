"""Evaluation: what is measured of a cohort's averages and students when a task is finished.

Measures are named as metrics need them (``trainables/metrics``), and only those asked for are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from trainables.metrics.base import PREFIX
from trainables.panels import Panel
from trainables.scoring import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainables.cohort import Cohort
    from trainables.scenarios.base import Stream

Scores: TypeAlias = dict[str, tuple[float, ...]]
"""Numbers by measure. A measure that is not finite is left out."""

OTHERS = ("ahead", "untrained", "churn")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Which ``measures`` are made when a task is finished, besides accuracy.

    ``nll``, ``brier``, ``ece``: on each task so far. ``churn``: on each earlier task, the share of
    samples that are answered otherwise than before this task. ``ahead``: accuracy on the next task;
    ``untrained``: that of the weights that training started from.

    Raises:
        ValueError: if a measure is unknown.
    """

    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.measures) - {*MEASURES, *OTHERS}):
            raise ValueError(f"unknown measures, got {unknown}")


ACCURACY = Evaluation()
"""Nothing else."""


class Judge:
    """Measures a cohort between its tasks; keeps nothing that a checkpoint would have to carry."""

    def __init__(self, cohort: Cohort, stream: Stream, evaluation: Evaluation) -> None:
        self._cohort, self._stream = cohort, stream
        self._answers = ("accuracy", *(n for n in evaluation.measures if n in MEASURES))
        self._others = tuple(n for n in evaluation.measures if n not in MEASURES)
        self._before: list[Tensor] = []

    def look(self) -> None:
        """To be called before a task is trained, with whoever is alive then."""
        if "churn" in self._others:
            self._before = _choices(Panel.of(self._cohort, self._stream), self._cohort.task)

    def scores(self) -> list[Scores]:
        """Of each seat alive: its average's, and its student's under names with ``student_``."""
        panel, owners = Panel.of(self._cohort, self._stream), self._cohort.owners
        alive = list(dict.fromkeys(owners))
        found = self._found(panel)
        return [
            _told("", found, seat) | _told(PREFIX, found, len(owners) + alive.index(owner))
            for seat, owner in enumerate(owners)
        ]

    def _found(self, panel: Panel) -> dict[str, list[list[float]]]:
        """Of each measure, the numbers of each row."""
        task = self._cohort.task
        columns = [
            panel.scores(split, panel.mask(i), self._answers)
            for i, split in enumerate(self._stream.validation[:task])
        ]
        by_task = torch.stack(columns, dim=1).unbind(-1)
        found = dict(zip(self._answers, by_task, strict=True))
        for name in self._others:
            found[name] = self._other(name, panel)
        return {name: of.tolist() for name, of in found.items()}

    def _other(self, name: str, panel: Panel) -> Tensor:
        """Float64 [rows, n]; n is 0 where there is no next or no earlier task."""
        task, rows = self._cohort.task, len(panel.places)
        if name == "churn" and task > 1:
            pairs = zip(_choices(panel, task - 1), self._before, strict=True)
            return torch.stack([_changed(now, before) for now, before in pairs], dim=1)
        if name == "churn" or task == len(self._stream.validation):
            return torch.empty(rows, 0, dtype=torch.float64)
        split, mask = self._stream.validation[task], panel.mask(task)
        if name == "untrained":
            return torch.full((rows, 1), panel.start(split, mask), dtype=torch.float64)
        return panel.scores(split, mask)


def _choices(panel: Panel, tasks: int) -> list[Tensor]:
    """What each row answers to the samples of each of the first ``tasks``."""
    splits = panel.stream.validation[:tasks]
    return [panel.choices(split, panel.mask(i)) for i, split in enumerate(splits)]


def _changed(now: Tensor, before: Tensor) -> Tensor:
    """Share of the answers that differ [rows]; NaN where either failed. int64 [rows, B] both."""
    failed = (now < 0).any(-1) | (before < 0).any(-1)
    return (now != before).double().mean(-1).masked_fill(failed, torch.nan)


def _told(prefix: str, found: Mapping[str, Sequence[Sequence[float]]], row: int) -> Scores:
    return {prefix + n: tuple(of[row]) for n, of in found.items() if all(map(isfinite, of[row]))}
