"""What a way of running is given to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measurements import Measurement
from trainables.cohort import Member
from trainables.recipes import program

if TYPE_CHECKING:
    from collections.abc import Hashable

    from benchmarks.measurements import Rows
    from search.plans import Candidate, Crew
    from trainables.scenarios import Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What is to be run: ``candidates`` of ``study``, folded into ``crews``."""

    study: str
    model: str
    candidates: list[Candidate]
    crews: list[Crew]
    scenario: Scenario

    def measurement(
        self,
        way: str,
        *,
        span: tuple[float, float],
        start_up: float,
        peaks: dict[str, float],
        rows: Rows,
    ) -> Measurement:
        """What came of it, from ``span[0]`` to ``span[1]`` seconds."""
        return Measurement(
            way=way,
            study=self.study,
            model=self.model,
            candidates=len(self.candidates),
            students=sum(map(len, self.crews)),
            jobs=len(self.crews),
            seconds=span[1] - span[0],
            start_up=start_up,
            peaks=peaks,
            rows=rows,
        )

    def one_of_each(self) -> list[Crew]:
        """A crew of each shape (program, members, averages): what there is to warm up."""
        known = {c.number: c for c in self.candidates}
        shapes: dict[Hashable, Crew] = {}
        for crew in self.crews:
            shape = program(known[crew[0][0]].recipe), tuple(map(len, crew))
            shapes.setdefault(shape, crew)
        return list(shapes.values())

    def members(self, crew: Crew) -> tuple[Member, ...]:
        """The members of a cohort in which ``crew`` has its seats."""
        known = {c.number: c for c in self.candidates}
        return tuple(
            Member(known[numbers[0]].recipe, tuple(known[n].averager for n in numbers))
            for numbers in crew
        )
