"""Shipped studies, each run to its end at a fraction of its size, its claims judged."""

from __future__ import annotations

import pytest

from search.engines import local
from search.events import Opened
from search.history import History
from search.ledger import Ledger
from search.study import Study
from search.studyfile import read, shipped
from search.verdicts import findings

STUDENTS = 6


def small(name):
    """The study with few candidates, one to a student, and few steps a task."""
    scenario = read(name).scenario
    inside = hasattr(scenario, "of")
    of, path = (scenario.of, "scenario.of") if inside else (scenario, "scenario")
    steps = [f for f in ("steps", "base_steps") if hasattr(of, f)]
    changes = [f"{path}.{f}=4" for f in steps]
    return read(
        name,
        [*changes, f"budget.candidates={STUDENTS}", "fold={members: 6, averages: 1}", "rungs=null"],
    )


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_study_runs_to_its_end(name, tmp_path):
    file = small(name)
    opened = Opened(name=name, text=file.text, overrides=file.overrides, source=file.source)
    with Ledger.create(tmp_path / "study", opened) as ledger:
        study = Study(file, ledger, History(opened), lambda: 0.0)
        local.drive(study, lambda: None)
    history = study.history
    reasons = [o.reason for o in history.outcomes.values() if o.reason is not None]
    assert all(reason.startswith(("diverged", "refused: averager: !same")) for reason in reasons)
    complete = history.in_state("complete")
    assert len(complete) >= STUDENTS // 2
    measured = history.outcomes[complete[0]].values.keys()
    assert set(file.objectives.names) <= measured
    found = findings(history, file)
    assert [f.says for f in found] == [c.says for c in file.claims]
    for claim in file.claims:
        assert set(claim.metrics().values()) <= measured


@pytest.mark.parametrize("name", shipped())
def test_studies_that_make_claims_stop_nobody_and_learn_nothing(name):
    """A sampler that learns looks where it is good, and a rung keeps whom it likes."""
    file = read(name)
    if file.claims:
        assert file.rungs is None and file.sampler.kind in {"qmc", "random"}
        assert all(claim.source for claim in file.claims)
