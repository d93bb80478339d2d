"""Results: what becomes of what jobs measured: records, and the outcomes that follow from them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from search.aims import wanted
from search.events import Event, Measured, Outcome
from search.recent import Recent
from search.rungs import Ladder
from trainables.footprints import parameters
from trainables.metrics import defined, measure, sheet_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.history import History
    from search.studyfile import StudyFile
    from trainables.evaluation import Scores
    from trainables.metrics import Sheet
    from trainables.runs import Record


class Results:
    """Says what a study's records amount to: who is complete, who failed, whom a rung stops.

    It writes nothing. The rungs are its only state, and that is a function of the ``history``.
    """

    def __init__(self, file: StudyFile, history: History) -> None:
        self._file, self._history = file, history
        self._tasks = len(file.scenario.clock().task_ends)
        self._paid = {"seconds", "parameters"} & wanted(file).keys()
        self._goals, self._known = file.goals, Recent()
        self._levels = () if file.rungs is None else file.rungs.levels(self._tasks)
        self._looked_at = {*self._levels, self._tasks}
        reference = file.objectives.reference_cost
        self._ladder = file.rungs.ladder(self._tasks, reference) if file.rungs else Ladder([{}])

    def events(self, due: Mapping[int, Record], at: float) -> list[Event]:
        """What follows from the records of candidates that have no outcome yet.

        A record that is known already is not written again.
        """
        measured = [self._measured(c, r, at) for c, r in due.items() if self._is_new(c, r)]
        sheets = {c: self._sheet(c, r) for c, r in due.items() if self._is_looked_at(r)}
        ended = [o for c, r in due.items() if (o := self._outcome(c, r, sheets, at)) is not None]
        pruned = self._pruned({c: r for c, r in due.items() if not r.failed}, sheets, at)
        return [*measured, *ended, *pruned]

    def replay(self) -> None:
        """Brings the rungs to where the history is."""
        for level in self._levels:
            records = self._history.records
            seen = [c for c in records if level - 1 in records[c] and self._history.is_drawn(c)]
            sheets = {c: sheet_of(self._history.scores(c)[:level]) for c in sorted(seen)}
            costs = self._costs(level, sheets)
            behind = {c: self._behind(sheet) for c, sheet in sheets.items()}
            self._ladder.admit(level, costs, self._history.student_of, behind)

    def at_rungs(self, candidate: int) -> dict[int, list[float]]:
        """The objectives of ``candidate`` after each rung's task that it finished, as samplers are told.

        Without those of a rung at which one was not finite.
        """
        finished, told = len(self._history.records[candidate]), self._goals.told
        passed = [level for level in self._levels if level <= finished]
        found = {level: told(self._objectives(candidate, level)) for level in passed}
        return {level: row for level, row in found.items() if all(map(isfinite, row))}

    def cut(self, candidate: int, reason: str, at: float) -> Outcome:
        """The outcome of one that is stopped for want of time, wherever it is."""
        scores = self._history.scores(candidate)
        return Outcome(
            candidate=candidate,
            state="pruned",
            values=defined(sheet_of(scores)) if scores else {},
            task=max(0, len(scores) - 1),
            at=at,
            reason=reason,
        )

    def _is_new(self, candidate: int, record: Record) -> bool:
        return record.failed is None and record.task not in self._history.records[candidate]

    def _measured(self, candidate: int, record: Record, at: float) -> Measured:
        scores = self._scores(candidate, record)
        return Measured(
            candidate=candidate,
            task=record.task,
            step=record.step,
            accuracy=record.accuracy,
            seconds=record.seconds,
            at=at,
            measures={name: found for name, found in scores.items() if name != "accuracy"},
        )

    def _is_looked_at(self, record: Record) -> bool:
        """Whether anything is decided after its task."""
        return record.task + 1 in self._looked_at

    def _sheet(self, candidate: int, record: Record) -> Sheet:
        known = self._history.scores(candidate)[: record.task]
        return sheet_of(known if record.failed else [*known, self._scores(candidate, record)])

    def _scores(self, candidate: int, record: Record) -> Scores:
        """What was measured, and what it cost if that was asked for."""
        if not self._paid:
            return record.scores
        paid: Scores = {}
        if "seconds" in self._paid:
            paid["seconds"] = (record.seconds,)
        if "parameters" in self._paid:
            paid["parameters"] = (float(self._parameters(candidate)),)
        return record.scores | paid

    def _parameters(self, candidate: int) -> int:
        recipe, averager = self._file.candidate(self._history.candidates[candidate].config)
        return parameters(recipe, averager, self._file.scenario)

    def _outcome(
        self, candidate: int, record: Record, sheets: Mapping[int, Sheet], at: float
    ) -> Outcome | None:
        if record.failed is not None:
            return Outcome(
                candidate=candidate,
                state="failed",
                values={},
                task=record.task,
                at=at,
                reason=record.failed,
            )
        if record.task < self._tasks - 1:
            return None
        values = defined(sheets[candidate])
        missing = [n for n in self._goals.names if n not in values]
        return Outcome(
            candidate=candidate,
            state="failed" if missing else "complete",
            values={} if missing else values,
            task=record.task,
            at=at,
            reason=f"not finite: {', '.join(missing)}" if missing else None,
        )

    def _pruned(
        self, due: Mapping[int, Record], sheets: Mapping[int, Sheet], at: float
    ) -> list[Outcome]:
        """Outcomes of those that their rung stops. Whoever a rung let go on before, still does."""
        out = []
        for level in {r.task + 1 for r in due.values()} & set(self._levels):
            here = {c: sheets[c] for c, r in due.items() if r.task + 1 == level}
            first_time = {c for c in here if self._is_judged(c, level)}
            costs = self._costs(level, {c: here[c] for c in sorted(first_time)})
            behind = {c: self._behind(here[c]) for c in first_time}
            kept = self._ladder.judge(level, costs, self._history.student_of, behind)
            out += [
                Outcome(candidate=c, state="pruned", values=defined(here[c]), task=level - 1, at=at)
                for c in sorted(first_time - kept)
            ]
        return out

    def _is_judged(self, candidate: int, level: int) -> bool:
        known = self._history.records[candidate]
        return level - 1 not in known and self._history.is_drawn(candidate)

    def _costs(self, level: int, sheets: Mapping[int, Sheet]) -> dict[int, list[float]]:
        """The objectives of candidates after ``level`` tasks, as costs [objectives]."""
        values = [[*self._objectives(c, level, sheet).values()] for c, sheet in sheets.items()]
        costs = self._goals.objectives.costs(np.array(values)).tolist()
        return dict(zip(sheets, costs, strict=True))

    def _objectives(
        self, candidate: int, level: int, sheet: Sheet | None = None
    ) -> dict[str, float]:
        """Those of a candidate after ``level`` tasks, of the ``sheet`` if the history lacks the last.

        Rungs judge by them, and then samplers are told.
        """
        names, scores = self._goals.objectives.names, self._history.scores
        return self._known.of(
            (candidate, level),
            lambda: measure(names, sheet_of(scores(candidate)[:level]) if sheet is None else sheet),
        )

    def _behind(self, sheet: Sheet) -> float:
        """How far a stream so far is behind those that keep the constraints and preferences."""
        goals = self._goals
        if not (goals.constraints or goals.preferences):
            return 0.0
        return goals.behind(measure(goals.names, sheet))
