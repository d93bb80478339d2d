"""Syne Tune's MOASHA behind a pipe: a line of JSON in, a line out. Knows nothing of Equipoise.

Syne Tune wants other versions of our libraries, so it has an environment of its own:

    python -m venv .venv-syne
    .venv-syne/bin/pip install syne-tune==0.16.0 moocore pandas pyarrow scikit-learn
    EQUIPOISE_SYNE_PYTHON=.venv-syne/bin/python python benchmarks/compare.py ...

Every knob is uniform in [0, 1], the way along its domain, so what is drawn has the distribution that
Equipoise's random sampler has; MOASHA draws at random itself. Its default priority (non-dominated
sorting) returns the sorted order of results where their ranks are needed, so that whether a newcomer
goes on is settled by where in the list the worst of all stands. The linear one has no such fault.
"""

import json
import sys

import numpy as np
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import uniform
from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA
from syne_tune.optimizer.schedulers.multiobjective.multiobjective_priority import (
    LinearScalarizationPriority,
    NonDominatedPriority,
)

PRIORITIES = {"non_dominated": NonDominatedPriority, "linear": LinearScalarizationPriority}


def main() -> None:
    """Answers until nothing more comes."""
    first = json.loads(sys.stdin.readline())
    np.random.seed(first["seed"] % 2**32)  # noqa: NPY002 - what Syne Tune draws from
    scheduler = MOASHA(
        {name: uniform(0.0, 1.0) for name in first["knobs"]},
        metrics=first["metrics"],
        do_minimize=False,
        time_attr="tasks",
        max_t=first["max_t"],
        grace_period=first["grace_period"],
        reduction_factor=first["reduction_factor"],
        random_seed=first["seed"],
        multiobjective_priority=PRIORITIES[first["priority"]](),
    )
    trials = {}
    answer(True)
    for line in sys.stdin:
        told = json.loads(line)
        if "suggest" in told:
            number = told["suggest"]
            config = {k: float(v) for k, v in scheduler.suggest().config.items()}
            trials[number] = Trial(number, config, None)
            scheduler.on_trial_add(trials[number])
            answer(config)
        else:
            result = {"tasks": told["tasks"], **told["values"]}
            answer(scheduler.on_trial_result(trials[told["result"]], result) == "CONTINUE")


def answer(what: object) -> None:
    """One line."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
