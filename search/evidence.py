"""Evidence: what a study's full-stream candidates were made of and what they measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spaces.objectives import Objectives

if TYPE_CHECKING:
    from search.history import History
    from search.studyfile import StudyFile

Where: TypeAlias = dict[str, Any]
"""Settings by dotted path, each a value or a list of values of which any will do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A candidate. ``student`` tells its student from others, of which there may be many averages."""

    student: str
    config: Mapping[str, Any]
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Trials in the order of their numbers, and the objectives that they were traded off by."""

    trials: Sequence[Trial]
    objectives: Objectives

    def metric(self, name: str) -> NDArray[np.float64]:
        """NaN where it was not measured. [trials]."""
        return np.array([t.values.get(name, np.nan) for t in self.trials], dtype=np.float64)

    def costs(self) -> NDArray[np.float64]:
        """The objectives, less being better. [trials, objectives]."""
        columns = [self.metric(name) for name in self.objectives.names]
        return self.objectives.costs(np.stack(columns, axis=1))

    def setting(self, path: str) -> list[Any]:
        """The setting at ``path`` of each trial."""
        return [setting(t.config, path) for t in self.trials]

    def meeting(self, where: Where) -> NDArray[np.bool_]:
        """Which trials meet every condition. [trials]."""
        met = [
            all(_is(setting(t.config, p), wanted) for p, wanted in where.items())
            for t in self.trials
        ]
        return np.array(met, dtype=bool)

    def students(self, rows: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        """Of the trials in ``rows``, those of each student together."""
        found: dict[str, list[int]] = {}
        for row in np.flatnonzero(rows).tolist():
            found.setdefault(self.trials[row].student, []).append(row)
        return [np.array(of, dtype=np.int64) for of in found.values()]


def evidence_of(history: History, file: StudyFile) -> Evidence:
    """What the complete candidates of ``history`` show. A pruned one shows no whole stream.

    Of one with further seeds it is the means that count, as on the front; of one that failed with
    a seed nothing.
    """
    trials = [
        Trial(
            student=json.dumps(history.candidates[c].config["recipe"], sort_keys=True),
            config=history.candidates[c].config,
            values=values,
        )
        for c, values in sorted(history.finals().items())
    ]
    return Evidence(trials=trials, objectives=file.objectives)


def setting(config: Any, path: str) -> Any:
    """What ``config`` says at ``path``, such as ``recipe.pulls.0.share``: of a mapping its kind.

    None for what it does not say: defaults are not filled in.
    """
    for part in path.split("."):
        if isinstance(config, Mapping):
            config = config.get(part)
        elif isinstance(config, list | tuple) and part.isdigit() and int(part) < len(config):
            config = config[int(part)]
        else:
            return None
    return config.get("kind") if isinstance(config, Mapping) else config


def is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def options(wanted: Any) -> list[Any]:
    """The values that a condition allows."""
    return list(wanted) if isinstance(wanted, list | tuple) else [wanted]


def _is(found: Any, wanted: Any) -> bool:
    return any(found is None if w is None else found == w for w in options(wanted))
