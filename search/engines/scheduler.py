"""Multi-objective ASHA and Hyperband for anyone's ordinary Ray Tune trainable."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler

from search.rungs.asha import Asha
from search.rungs.hyperband import Hyperband
from search.worths.contribution import Contribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ray.tune.experiment import Trial

    from search.rungs import Rungs
    from search.worths import Worth
    from spaces.objectives import Direction

BY_CONTRIBUTION = Contribution()


class MultiObjectiveASHA(FIFOScheduler):
    """Stops trials that several metrics together say are not worth going on with.

        tune.Tuner(trainable, tune_config=tune.TuneConfig(
            scheduler=MultiObjectiveASHA(objectives={"accuracy": "max", "latency": "min"})))

    A trial is judged as ``search.rungs.asha`` says when ``time_attr`` first reaches ``grace_period``,
    ``grace_period * reduction_factor``, ``grace_period * reduction_factor**2``, ... (in integers,
    all below ``max_t``), and stopped at ``max_t``. One that jumps over several of them at once is
    judged at the last of them alone. Its other reports are not looked at. There is no reference
    point: a trial that is worst on one metric may still go on for another. ``within`` says who of
    a front is better. Synchronous halving has no counterpart here: trials report one by one.

    A metric that is not finite stops the trial at its next rung. A report without one of the
    metrics raises ``ValueError``. Leave the ``metric`` and ``mode`` of Ray's ``TuneConfig`` unset.
    """

    _SAVED = ("_ladder", "_reached", "_turns", "_stopped")

    def __init__(
        self,
        objectives: Mapping[str, Direction],
        *,
        time_attr: str = "training_iteration",
        grace_period: int = 1,
        reduction_factor: int = 3,
        max_t: int = 100,
        within: Worth = BY_CONTRIBUTION,
    ) -> None:
        super().__init__()
        if len(objectives) < 2 or set(objectives.values()) - {"min", "max"}:
            raise ValueError(f"objectives are two or more, 'min' or 'max', got {objectives=}")
        if not (1 <= grace_period <= max_t and reduction_factor >= 2):
            raise ValueError(
                "1 <= grace_period <= max_t and reduction_factor >= 2 must hold, "
                f"got {grace_period=} {max_t=} {reduction_factor=}"
            )
        self._signs = {name: 1.0 if d == "min" else -1.0 for name, d in objectives.items()}
        self._time, self._most = time_attr, max_t
        rungs = self._rungs(factor=reduction_factor, first=grace_period, within=within)
        self._ladder = rungs.ladder(max_t, np.full(len(objectives), np.inf))
        self._reached: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self._stopped = 0

    def _rungs(self, *, factor: int, first: int, within: Worth) -> Rungs:
        return Asha(factor=factor, first_task=first, within=within)

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Whether nothing but this scheduler's own objectives is asked for."""
        del spec
        return metric is None and mode is None

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """``STOP`` or ``CONTINUE``."""
        del tune_controller
        missing = [name for name in (self._time, *self._signs) if name not in result]
        if missing and result.get("done"):  # a function that ended without a report
            return str(self.CONTINUE)
        if missing:
            raise ValueError(
                f"each report has {self._time!r} and every objective, got none of {missing} from "
                f"trial {trial.trial_id}, which reported {sorted(result)}"
            )
        on = result[self._time] < self._most and self._passes(trial.trial_id, result)
        self._stopped += not on
        return str(self.CONTINUE if on else self.STOP)

    def _passes(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        turn = self._turns.setdefault(trial_id, len(self._turns))
        reached = self._reached.get(trial_id, 0)
        due = [
            level for level in self._ladder.levels(turn) if reached < level <= result[self._time]
        ]
        if not due:
            return True
        self._reached[trial_id] = due[-1]
        costs = [sign * float(result[name]) for name, sign in self._signs.items()]
        return bool(self._ladder.judge(due[-1], {trial_id: costs}, self._turns))

    def debug_string(self) -> str:
        """One line for Ray's progress report."""
        held = " | ".join(f"{level}: {count}" for level, count in self._ladder.seen().items())
        return f"{type(self).__name__}: {self._stopped} stopped; results at each rung: {held}"

    def save(self, checkpoint_path: str) -> None:
        """Writes what the rungs have seen."""
        state = {name: getattr(self, name) for name in self._SAVED}
        Path(checkpoint_path).write_bytes(pickle.dumps(state))

    def restore(self, checkpoint_path: str) -> None:
        """Reads what ``save`` wrote; only from a file that is trusted."""
        state = pickle.loads(Path(checkpoint_path).read_bytes())  # noqa: S301 - as Ray's own do
        for name in self._SAVED:
            setattr(self, name, state[name])


class MultiObjectiveHyperband(MultiObjectiveASHA):
    """Brackets of ``MultiObjectiveASHA`` whose first rungs differ (``search.rungs.hyperband``).

    Trials take their brackets in turn, as they first report.
    """

    def _rungs(self, *, factor: int, first: int, within: Worth) -> Rungs:
        return Hyperband(factor=factor, first_task=first, within=within)
