"""kill -9 of the driver at any moment, then resume: nothing is lost and nothing is done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient

from reports import tracker
from search.events import Measured, Outcome
from search.folders import load
from search.ledger import read
from search.samplers.suggestions import Suggestions
from search.study import Study

pytestmark = pytest.mark.ray

STUDY = """\
name: mortal
scenario: {kind: rotated_digits, tasks: 4, steps: 60}
objectives: {plasticity: max, stability: max}
recipe: {model: {kind: mlp, hidden: [64]}, optimizer: {kind: sgd, lr: !log [1.0e-2, 0.3]}}
averagers: [{kind: ema, momentum: !near_one [0.9, 0.999]}]
budget: {candidates: 64}
rungs: {factor: 2, first_task: 2}
fold: {members: 4, averages: 2}
"""
STATUSES = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def equipoise(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "search", *words], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("sign", ["training", "done:"])
def test_killed_and_resumed(tmp_path, with_store, sign):
    file, directory = tmp_path / "mortal.yaml", with_store(tmp_path / "study")
    file.write_text(STUDY)
    with equipoise("launch", str(file), "--dir", str(directory)) as driver:
        assert any(sign in line for line in iter(driver.stdout.readline, ""))
        driver.send_signal(signal.SIGKILL)
    assert load(directory)[0].ended is None
    with equipoise("resume", str(directory)) as driver:
        driver.communicate()
    assert driver.returncode == 0
    history, study = load(directory)
    events = read(directory)
    assert sorted(history.candidates) == list(range(study.budget.candidates))
    assert Counter(e.candidate for e in events if isinstance(e, Outcome)) == Counter(
        range(study.budget.candidates)
    )
    seen = Counter((e.candidate, e.task) for e in events if isinstance(e, Measured))
    assert set(seen.values()) == {1}
    assert _in_mlflow(study, directory) == {
        c: STATUSES[o.state] for c, o in history.outcomes.items()
    }
    assert _in_optuna(study, history) == history.counts()["complete"]


def _in_mlflow(study, directory):
    client = MlflowClient(tracker.tracking_uri(study, directory))
    experiment = client.get_experiment_by_name(study.name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    numbers = [
        r.data.tags["equipoise.candidate"] for r in runs if "equipoise.candidate" in r.data.tags
    ]
    assert len(numbers) == len(set(numbers)) == len(runs) - 1
    return {
        int(r.data.tags["equipoise.candidate"]): r.info.status
        for r in runs
        if "equipoise.candidate" in r.data.tags
    }


def _in_optuna(study, history):
    """How many complete trials the sampler of a resumed driver knows."""
    made = Study(study, SimpleNamespace(directory=None), history, lambda: 0.0)
    suggestions: Suggestions = made._suggestions
    return suggestions.counts()["complete"]
