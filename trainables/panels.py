"""Panels: the rows of weights of a cohort that are judged at one moment, all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.scoring import choices, score

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch import Tensor

    from trainables.cohort import Cohort
    from trainables.learners import Learner
    from trainables.scenarios.base import Split, Stream


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows: the average of each seat alive, then the student of each member alive.

    ``stacks`` hold the weights, those that are equal once; ``places`` say which is each row's.
    """

    learner: Learner
    stream: Stream
    stacks: tuple[Tensor, ...]
    places: list[int]

    @classmethod
    def of(cls, cohort: Cohort, stream: Stream) -> Panel:
        """Of a cohort between two tasks."""
        rows, places = cohort.distinct()
        last = range(len(rows), len(rows) + len(cohort.students))
        return cls(cohort.learner, stream, (rows, cohort.students), [*places, *last])

    @classmethod
    def amid(cls, cohort: Cohort, stream: Stream) -> Panel:
        """Of a cohort that is training a task; or between two, but equal rows are then not told."""
        stacks = cohort.averages, cohort.students
        return cls(cohort.learner, stream, stacks, list(range(sum(map(len, stacks)))))

    def scores(
        self, split: Split, mask: Tensor | None, measures: Sequence[str] = ("accuracy",)
    ) -> Tensor:
        """Of each row by each measure. Float64 [rows, len(measures)], NaN for a row that failed."""
        split, mask = self._here(split, mask)
        return score(self.learner, self.stacks, split, mask, measures)[self.places]

    def choices(self, split: Split, mask: Tensor | None) -> Tensor:
        """The class each row answers, -1 for a row that failed. int64 [rows, samples]."""
        split, mask = self._here(split, mask)
        return choices(self.learner, self.stacks, split, mask)[self.places]

    def start(self, split: Split, mask: Tensor | None) -> float:
        """Accuracy of the weights that training started from."""
        split, mask = self._here(split, mask)
        row = self.learner.start.to(self.stacks[0].device).unsqueeze(0)
        return float(score(self.learner, (row,), split, mask))

    def mask(self, task: int) -> Tensor | None:
        """The classes that may be answered in ``task``."""
        return None if self.stream.masks is None else self.stream.masks[task]

    def _here(self, split: Split, mask: Tensor | None) -> tuple[Split, Tensor | None]:
        device = self.stacks[0].device
        return split.to(device), None if mask is None else mask.to(device)


def distinct(marks: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Where each mark that differs stands first, and for every mark its place among these."""
    seen: dict[Hashable, int] = {}
    places = [seen.setdefault(mark, len(seen)) for mark in marks]
    return [places.index(place) for place in range(len(seen))], places
