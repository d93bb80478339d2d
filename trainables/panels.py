"""Panels: the rows of weights of a cohort that are judged at one moment, all of them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.scoring import choices, score

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch import Tensor

    from trainables.cohort import Cohort
    from trainables.readers import Reader
    from trainables.scenarios.base import Split, Stream


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows: the average of each seat alive, then the student of each member alive, as deployed.

    ``stacks`` hold the weights, those that are equal once; ``places`` say which is each row's.
    """

    reader: Reader
    stream: Stream
    stacks: tuple[Tensor, ...]
    places: list[int]

    @classmethod
    def of(cls, cohort: Cohort, stream: Stream) -> Panel:
        """Of a cohort between two tasks."""
        return cls._made(cohort, stream, *cohort.distinct(), cohort.task)

    @classmethod
    def amid(cls, cohort: Cohort, stream: Stream) -> Panel:
        """Of a cohort that is training a task; or between two, but equal rows are then not told."""
        rows = cohort.averages
        return cls._made(cohort, stream, rows, list(range(len(rows))), cohort.task + 1)

    @classmethod
    def of_averages(cls, cohort: Cohort, stream: Stream) -> Panel:
        """Of a cohort between two tasks, the students left out."""
        whole = cls.of(cohort, stream)
        return replace(whole, stacks=whole.stacks[:1], places=whole.places[: len(cohort.seats)])

    @classmethod
    def _made(
        cls, cohort: Cohort, stream: Stream, rows: Tensor, places: list[int], tasks: int
    ) -> Panel:
        """Seat i is judged by row ``places[i]``; ``tasks`` have been seen, the last perhaps in part."""
        students, owners = cohort.deployed, cohort.owners
        number = {owner: i for i, owner in enumerate(dict.fromkeys(owners))}
        mates = {place: number[owner] for place, owner in zip(places, owners, strict=True)}
        reader = cohort.reader(tasks)
        stacks = (
            reader.judged(rows, students, [mates[row] for row in range(len(rows))]),
            reader.judged(students, students, range(len(students))),
        )
        last = range(len(rows), len(rows) + len(students))
        return cls(reader, stream, stacks, [*places, *last])

    def scores(
        self, split: Split, mask: Tensor | None, measures: Sequence[str] = ("accuracy",)
    ) -> Tensor:
        """Of each row by each measure. Float64 [rows, len(measures)], NaN for a row that failed."""
        split, mask = self._here(split, mask)
        return score(self.reader, self.stacks, split, mask, measures)[self.places]

    def choices(self, split: Split, mask: Tensor | None) -> Tensor:
        """The class each row answers, -1 for a row that failed. int64 [rows, samples]."""
        split, mask = self._here(split, mask)
        return choices(self.reader, self.stacks, split, mask)[self.places]

    def start(self, split: Split, mask: Tensor | None) -> float:
        """Accuracy of the weights that training started from."""
        split, mask = self._here(split, mask)
        row = self.reader.start(self.stacks[0].device)
        return float(score(self.reader, (row,), split, mask))

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
