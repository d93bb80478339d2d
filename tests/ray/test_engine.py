"""The Ray engine: the same records as in one process, whatever dies on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from search.engines import ray_tune
from search.folders import load
from search.room import room
from search.studyfile import read_text
from spaces.problems import SpecError
from tests.search.running import TEXT, findings, finish, opened, reopened

pytestmark = pytest.mark.ray

# Candidates that do not depend on which job happens to end first.
BLIND = ("sampler={kind: random}", "rungs=null")


def drive(study, watch=lambda: None):
    ray_tune.drive(study, watch)
    assert study.done
    study.end()
    return study.history


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("local") / "study", *BLIND) as study:
        return findings(finish(study))


def workers_of(driver):
    """Processes of a Ray that ``driver`` started which train a job."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = line.read_bytes()
            raylet = line.with_name("stat").read_text().rpartition(")")[2].split()[1]
            starter = Path(f"/proc/{raylet}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it ended meanwhile
            continue
        if title.startswith(b"ray::JobTrainable") and int(starter) == driver:
            yield int(line.parent.name)


@pytest.fixture(scope="module")
def driven(local_ray, tmp_path_factory):
    """The folder of a study that Ray has run."""
    directory = tmp_path_factory.mktemp("driven") / "study"
    with opened(directory, *BLIND) as study:
        drive(study)
    return directory


def test_same_records_as_in_this_process(driven, local):
    assert findings(load(driven)[0]) == local


def test_rungs_prune_and_fronts_are_complete(local_ray, tmp_path):
    with opened(tmp_path / "study") as study:
        history = drive(study)
        assert history.counts()["failed"] == history.counts()["running"] == 0
        assert history.in_state("pruned")
        assert history.front(study.file.goals)


def test_a_worker_killed_in_its_work_costs_nothing(local_ray, tmp_path, local):
    killed = []

    def kill_once():
        if not killed:
            killed.append(next(workers_of(os.getpid())))
            os.kill(killed[0], signal.SIGKILL)

    with opened(tmp_path / "study", *BLIND) as study:
        history = drive(study, kill_once)
        assert killed
        assert history.faults
        assert findings(history) == local


def test_what_raises_fails_alone(local_ray, tmp_path, local):
    too_wild = "recipe.optimizer.lr=!choice [0.05, 1.0e30]"
    with opened(tmp_path / "study", *BLIND, too_wild) as study:
        history = drive(study)
        assert history.in_state("failed")
        assert history.in_state("complete")
        reasons = {history.outcomes[c].reason for c in history.in_state("failed")}
        assert all("diverged" in reason for reason in reasons)


def test_what_a_job_may_take_is_what_a_worker_measures(local_ray):
    """Asked of a worker where there is an address; here worker and driver are one machine."""
    file = read_text(TEXT, "tiny.yaml")
    assert ray_tune.room_there(file, "auto") == ray_tune.room_there(file, None) == room(file)
    small = read_text(TEXT, "tiny.yaml", ("fold.memory=3MiB",))
    assert ray_tune.room_there(small, "auto") == room(small)


def test_a_job_out_of_memory_is_halved_until_none_is_left(local_ray, tmp_path):
    far_too_wide = "recipe.model.hidden=[!choice [8, 1099511627776]]"
    together = ("recipe.strategy={kind: finetune}", "fold={members: 8, averages: 2}")
    with opened(tmp_path / "study", *BLIND, far_too_wide, *together) as study:
        history = drive(study)
    assert {f.kind for f in history.faults} == {"memory"}
    assert all("can't allocate memory" in f.reason for f in history.faults)
    for candidate, outcome in history.outcomes.items():
        wide = history.candidates[candidate].knobs["recipe.model.hidden.0"] == 1
        assert outcome.state == ("failed" if wide else "complete")
    assert {1, 2, 4} <= {len(history.jobs[f.job].candidates) for f in history.faults}


def test_a_job_that_fits_nowhere_is_refused(local_ray, tmp_path):
    with opened(tmp_path / "study", "resources={cpu: 512}") as study:
        with pytest.raises(SpecError, match="a job wants 512 CPU, here: 2"):
            ray_tune.drive(study, lambda: None)
        assert not study.history.candidates


def test_nothing_of_a_study_is_kept_by_ray(driven):
    history, file = load(driven)
    assert history.ended is not None
    assert history.counts()["candidates"] == file.budget.candidates


def test_workers_with_other_code_stop_the_study_and_cost_it_nothing(
    local_ray, tmp_path, monkeypatch, local
):
    with opened(tmp_path / "study", *BLIND) as study:
        with monkeypatch.context() as patch:
            patch.setattr(ray_tune, "fingerprint", lambda: "another")
            with pytest.raises(SpecError, match="imports other code than the driver"):
                drive(study)
        assert not study.history.outcomes
    with reopened(tmp_path / "study") as study:
        assert findings(finish(study)) == local
