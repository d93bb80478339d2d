"""A study as pandas tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from trainables.metrics import BY_TASK, PREFIX

if TYPE_CHECKING:
    from search.events import Measured
    from search.history import History
    from search.studyfile import StudyFile


def candidates(history: History, study: StudyFile) -> pd.DataFrame:
    """One row for each candidate, by its number.

    Columns: ``state`` (complete, pruned, failed, running), ``on_front``, ``feasible`` (of a study
    with constraints: whether a complete candidate keeps them), ``tasks`` finished; the
    objectives and then every other metric; the knobs by name (missing where not in play);
    ``seconds`` of the workers' time, ``job`` and ``reason``. Metrics are of whole streams only:
    a pruned candidate has none, for after fewer tasks they are not the same measurement
    (``records`` has what it scored).
    """
    front = set(history.front(study.goals))
    metrics = _metrics(history, study)
    knobs = _knobs(history, study)
    rows = {c: _row(history, c, metrics, knobs) for c in sorted(history.candidates)}
    columns = ["state", "on_front", "tasks", *metrics, *knobs, "seconds", "job", "reason"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame["on_front"] = [c in front for c in frame.index]
    if study.constraints:
        finals, feasible = history.finals(), set(history.feasible(study.goals))
        kept = [c in feasible if c in finals else None for c in frame.index]
        frame.insert(2, "feasible", pd.array(kept, dtype="boolean"))
    frame["job"] = frame["job"].astype("Int64")
    return frame.rename_axis("candidate")


def records(history: History) -> pd.DataFrame:
    """One row for each accuracy measured, in order of candidate and task.

    Columns: ``candidate``, ``task_learnt`` (just before), ``task_tested``, ``step``, ``accuracy``
    on its validation set, ``at`` (study seconds); then whatever else was measured of each task,
    ``student_accuracy`` first.
    """
    rows = [
        {
            "candidate": candidate,
            "task_learnt": record.task,
            "task_tested": tested,
            "step": record.step,
            "accuracy": accuracy,
            "at": record.at,
            **_of_task(record, tested),
        }
        for candidate, of_task in sorted(history.records.items())
        for _, record in sorted(of_task.items())
        for tested, accuracy in enumerate(record.accuracy)
    ]
    names = ["candidate", "task_learnt", "task_tested", "step", "accuracy", "at"]
    seen = dict.fromkeys(name for row in rows for name in row)
    others = sorted(seen.keys() - set(names) - {STUDENT})
    return pd.DataFrame(rows, columns=[*names, *([STUDENT] if STUDENT in seen else []), *others])


STUDENT = f"{PREFIX}accuracy"


def _of_task(record: Measured, task: int) -> dict[str, float]:
    return {
        name: values[task]
        for name, values in record.measures.items()
        if name.removeprefix(PREFIX) in BY_TASK and task < len(values)
    }


def _row(history: History, candidate: int, metrics: list[str], knobs: list[str]) -> list[Any]:
    asked, outcome = history.candidates[candidate], history.outcomes.get(candidate)
    measured = history.records[candidate].values()
    values = dict(outcome.values) if outcome and outcome.state == "complete" else {}
    return [
        outcome.state if outcome else "running",
        False,
        len(measured),
        *(values.get(name) for name in metrics),
        *(asked.knobs.get(name) for name in knobs),
        sum(record.seconds for record in measured),
        history.job_of.get(candidate),
        outcome.reason if outcome else None,
    ]


def _metrics(history: History, study: StudyFile) -> list[str]:
    """The study's objectives, then what else was measured of its complete candidates."""
    complete = [history.outcomes[c] for c in history.in_state("complete")]
    seen = [name for outcome in complete for name in outcome.values]  # noqa: PD011 - no DataFrame
    return list(dict.fromkeys([*study.objectives.names, *seen]))


def _knobs(history: History, study: StudyFile) -> list[str]:
    seen = [name for asked in history.candidates.values() for name in asked.knobs]
    return list(dict.fromkeys([*study.space.knobs(), *seen]))
