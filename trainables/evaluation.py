"""Evaluation: what is measured of a cohort's averages and students when a task is finished.

Measures are named as metrics need them (``trainables/metrics``), and only those asked for are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Annotated, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from spaces.specs import Spec
from trainables.metrics.base import PREFIX
from trainables.panels import Panel
from trainables.references import joint_accuracy
from trainables.scoring import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainables.cohort import Cohort
    from trainables.scenarios.base import Split, Stream

Scores: TypeAlias = dict[str, tuple[float, ...]]
"""Numbers by measure. A measure that is not finite is left out."""

TWIN = "twin_churn"

OTHERS = ("ahead", "untrained", "joint", "churn", TWIN, "probe_base", "memorised")


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks(Spec):
    """``every`` so many steps of a task, counted from its start, accuracies are measured as well.

    For what happens between the ends of tasks (De Lange et al., arXiv:2205.13452, where it is 1).
    It costs an evaluation each time.
    """

    every: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Which ``measures`` are made when a task is finished, besides accuracy.

    ``nll``, ``brier``, ``ece``: on each task so far. ``churn``: on each earlier task, the share of
    samples that are answered otherwise than before this task. ``twin_churn``: on each task so far,
    the share that the twin answers otherwise (``trainables/twins.py``). ``ahead``: accuracy on the
    next task; ``untrained``: that of the weights that training started from. ``joint``: accuracy on the task just
    learnt of a reference trained on all tasks so far at once (``trainables/references.py``). ``probe_base``: accuracy on the
    stream's probe ``base``. ``memorised``: of the corrupted training samples of the tasks so far, the
    share answered with their wrong label.

    With ``every``, ``curve``: accuracies on each task so far at the task's start, before any update,
    then every so many steps of it and at its end, each after the number of steps done, all in a row
    (``trainables/metrics/curves.py``). An average is then what its table has made of it by then.

    Raises:
        ValueError: if a measure is unknown.
    """

    measures: tuple[str, ...] = ()
    every: int | None = None

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.measures) - {*MEASURES, *OTHERS}):
            raise ValueError(f"unknown measures, got {unknown}")

    @property
    def of_twins(self) -> bool:
        """Whether it looks at twins, so that they have to be trained."""
        return TWIN in self.measures


ACCURACY = Evaluation()
"""Nothing else."""


class Judge:
    """Measures a cohort between its tasks; keeps nothing that a checkpoint would have to carry."""

    def __init__(self, cohort: Cohort, stream: Stream, evaluation: Evaluation) -> None:
        self._cohort, self._stream = cohort, stream
        self._answers = ("accuracy", *(n for n in evaluation.measures if n in MEASURES))
        self._others = tuple(n for n in evaluation.measures if n not in MEASURES)
        self._every = evaluation.every
        if evaluation.of_twins and cohort.twin is None:
            raise ValueError(f"{TWIN}: the cohort has no twin to be compared with")
        self._before: list[Tensor] = []
        self._curve: list[Tensor] = []

    def train_task(self) -> None:
        """Has the cohort train its next task, and looks at what it must before and meanwhile."""
        if "churn" in self._others:
            self._before = _choices(Panel.of(self._cohort, self._stream), self._cohort.task)
        if self._every is None:
            self._cohort.train_task()
            return
        self._curve = []
        self._pause(self._stream.clock.task_starts[self._cohort.task])
        self._cohort.train_task(self._pause)

    def _pause(self, step: int) -> None:
        """A point of the curve: the accuracies of all rows as they are in the midst of a task."""
        panel = Panel.amid(self._cohort, self._stream)
        splits = self._stream.validation[: self._cohort.task + 1]
        self._curve.append(_point(step, torch.cat(_by_task(panel, splits), dim=1)))

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
        columns = _by_task(panel, self._stream.validation[:task], self._answers)
        by_task = torch.stack(columns, dim=1).unbind(-1)
        found = dict(zip(self._answers, by_task, strict=True))
        for name in self._others:
            found[name] = self._other(name, panel)
        if self._every is not None:
            end = _point(self._stream.clock.task_ends[task - 1], found["accuracy"])
            found["curve"] = torch.cat([*self._curve, end], dim=1)
        return {name: of.tolist() for name, of in found.items()}

    def _other(self, name: str, panel: Panel) -> Tensor:
        """Float64 [rows, n]; n is 0 where there is no next or no earlier task."""
        task, rows = self._cohort.task, len(panel.places)
        if name == TWIN:
            return self._beside_the_twin(panel)
        if name in {"probe_base", "memorised", "joint"}:
            return self._beside(name, panel)
        if name == "churn" and task > 1:
            pairs = zip(_choices(panel, task - 1), self._before, strict=True)
            return torch.stack([_changed(now, before) for now, before in pairs], dim=1)
        if name == "churn" or task == len(self._stream.validation):
            return torch.empty(rows, 0, dtype=torch.float64)
        split, mask = self._stream.validation[task], panel.mask(task)
        if name == "untrained":
            return torch.full((rows, 1), panel.start(split, mask), dtype=torch.float64)
        return panel.scores(split, mask)

    def _beside_the_twin(self, panel: Panel) -> Tensor:
        """The share of each task's samples that a row's twin answers otherwise. [rows, tasks]."""
        task, twin = self._cohort.task, self._cohort.twin
        assert twin is not None
        other = _choices(Panel.of(twin, self._stream), task)
        pairs = zip(_choices(panel, task), other, strict=True)
        return torch.stack([_changed(own, its) for own, its in pairs], dim=1)

    def _beside(self, name: str, panel: Panel) -> Tensor:
        """What is measured on other data than the tasks' own, or of another network. [rows, 1]."""
        task, rows = self._cohort.task, len(panel.places)
        if name == "probe_base":
            return panel.scores(self._stream.probes["base"], None)
        if name == "memorised":
            return _memorised(panel, task)
        recipe, seed = self._cohort.recipe, self._cohort.seed
        joint = joint_accuracy(recipe, self._stream, task - 1, seed=seed)
        return torch.full((rows, 1), joint, dtype=torch.float64)


def _by_task(
    panel: Panel, splits: Sequence[Split], measures: Sequence[str] = ("accuracy",)
) -> list[Tensor]:
    """The scores on each task's split; tasks that are validated on the same data share them."""
    seen: dict[object, Tensor] = {}
    for i, split in enumerate(splits):
        key = _same(split, i, panel)
        if key not in seen:
            seen[key] = panel.scores(split, panel.mask(i), measures)
    return [seen[_same(split, i, panel)] for i, split in enumerate(splits)]


def _same(split: Split, task: int, panel: Panel) -> object:
    return (id(split), task if panel.stream.masks is not None else None)


def _point(step: int, accuracies: Tensor) -> Tensor:
    """[rows, tasks + 1]: the step, then the accuracies [rows, tasks]."""
    return torch.cat([torch.full_like(accuracies[:, :1], step), accuracies], dim=1)


def _choices(panel: Panel, tasks: int) -> list[Tensor]:
    """What each row answers to the samples of each of the first ``tasks``."""
    splits = panel.stream.validation[:tasks]
    return [panel.choices(split, panel.mask(i)) for i, split in enumerate(splits)]


def _memorised(panel: Panel, tasks: int) -> Tensor:
    """[rows, 1]; NaN while no sample is corrupted."""
    true = panel.stream.true_labels
    if true is None:
        raise ValueError("memorised: no label of this stream was corrupted")
    wrong, count = torch.zeros(len(panel.places), 1, dtype=torch.float64), 0
    for i, (split, labels) in enumerate(zip(panel.stream.train[:tasks], true, strict=False)):
        corrupted = split.only((split.y != labels).nonzero().squeeze(1))
        if len(corrupted):
            wrong += panel.scores(corrupted, panel.mask(i)) * len(corrupted)
            count += len(corrupted)
    return wrong / count if count else wrong.fill_(torch.nan)


def _changed(now: Tensor, before: Tensor) -> Tensor:
    """Share of the answers that differ [rows]; NaN where either failed. int64 [rows, B] both."""
    failed = (now < 0).any(-1) | (before < 0).any(-1)
    return (now != before).double().mean(-1).masked_fill(failed, torch.nan)


def _told(prefix: str, found: Mapping[str, Sequence[Sequence[float]]], row: int) -> Scores:
    return {prefix + n: tuple(of[row]) for n, of in found.items() if all(map(isfinite, of[row]))}
