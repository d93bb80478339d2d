"""Other averages of what a study trained: how well they are made, and what is written of them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from reports import posthoc as reports
from search.albums import finished, folder
from search.cli import main
from search.engines.local import reason
from search.folders import load
from search.jobs import work
from search.ledger import NAME
from search.posthoc import posthoc
from search.samplers.qmc import Qmc
from search.samplers.tpe import Tpe
from spaces.specs import SpecError
from tests.search.running import TEXT, finish, opened, reopened
from trainables import configurations
from trainables.snapshots import Snapshots, file_of

DIGITS = """\
name: digits
scenario: {kind: rotated_digits, tasks: 3, degrees: 30, steps: 60}
objectives: {plasticity: max, stability: max}
recipe:
  model: {kind: mlp, hidden: [32]}
  optimizer: {kind: sgd, lr: !log [0.05, 0.5]}
  strategy: !choice
    - {kind: finetune}
    - {kind: mean_teacher, teacher: {kind: ema, momentum: !near_one [0.9, 0.99]}}
averagers:
  - {kind: ema, momentum: !near_one [0.8, 0.999], every: !int [1, 20]}
  - {kind: uniform, start: !int [0, 100]}
  - {kind: student}
  - {kind: lawa, window: !int [2, 6], every: !int [5, 20]}
budget: {candidates: 24}
rungs: {factor: 2, first_task: 2}
fold: {members: 4, averages: 4}
snapshots: {every: 15}
"""


def study(directory, *overrides, text=DIGITS):
    with opened(directory, *overrides, text=text) as running:
        return finish(running)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A study of digits, and what a search of its students' averages finds."""
    directory = tmp_path_factory.mktemp("posthoc") / "digits"
    study(directory)
    ledger = (directory / NAME).read_bytes()
    findings = posthoc(directory, candidates=20, sampler=Qmc())
    assert (directory / NAME).read_bytes() == ledger
    return directory, findings


def test_averages_made_are_close_to_the_same_ones_tracked(digits):
    _, findings = digits
    check, tracked = findings.check, findings.history.in_state("complete")
    assert len(check.objectives) == 2 * len(tracked)
    assert len(check.accuracy) == 6 * len(tracked)
    assert len(check.weights) == 3 * findings.students
    assert check.weights.max() < 0.05
    assert np.sqrt(np.mean(check.weights**2)) < 0.02
    assert check.accuracy.max() < 0.08
    assert check.objectives.max() < 0.03
    assert check.objectives.mean() < 0.01


def test_what_is_expected_of_a_random_walk_is_not_less_than_measured(digits):
    check = digits[1].check
    assert np.mean(check.expected**2) > np.mean(check.weights**2)


def test_every_student_has_its_averages_and_the_front_only_grows(digits):
    _, findings = digits
    assert findings.students == len(finished(findings.history))
    assert len(findings.made) == 20 * findings.students
    assert findings.after > findings.before == findings.history.hypervolume(findings.file.goals)
    for made in findings.made:
        assert findings.file.candidate(made.config)
        assert made.config["recipe"] == findings.history.candidates[made.like].config["recipe"]
        assert {n for n in made.knobs if n.startswith("averager")}
        assert [len(row) for row in made.rows] == [1, 2, 3]


def test_trained_exactly_an_average_scores_what_was_estimated(digits, tmp_path):
    _, findings = digits
    best = max(findings.made, key=lambda m: m.metrics["stability"])
    exact = configurations.train(
        configurations.Configuration(
            scenario=findings.file.scenario,
            recipe=findings.file.candidate(best.config)[0],
            averager=findings.file.candidate(best.config)[1],
        ),
        tmp_path,
    )
    estimated = np.concatenate([np.array(row) for row in best.rows])
    true = np.concatenate([np.array(row) for row in exact.validation])
    assert np.abs(estimated - true).max() < 0.03


def test_a_snapshot_after_every_step_is_exact(tmp_path):
    study(tmp_path / "every", "snapshots={every: 1, gammas: [0]}", "budget.candidates=8")
    check = posthoc(tmp_path / "every", candidates=1, sampler=Qmc()).check
    assert check.weights.max() < 1e-5
    assert check.expected.max() < 1e-9
    assert (check.accuracy > 0).mean() < 0.05  # float32 may round a sample to another class
    assert check.accuracy.max() < 0.01


def test_more_snapshots_make_smaller_errors(tmp_path):
    weights = []
    for every in (30, 10):
        directory = tmp_path / str(every)
        study(directory, f"snapshots.every={every}", "budget.candidates=8")
        weights.append(posthoc(directory, candidates=1, sampler=Qmc()).check.weights)
    assert np.mean(weights[1] ** 2) < np.mean(weights[0] ** 2) / 4


@pytest.mark.parametrize("sampler", [Qmc(), Tpe(startup=3)])
def test_the_same_search_finds_the_same(digits, sampler):
    directory, _ = digits
    found = [posthoc(directory, candidates=6, sampler=sampler) for _ in range(2)]
    assert found[0].made == found[1].made
    assert found[0].after == found[1].after


def test_where_nothing_varies_one_average_of_each_student_is_made(tmp_path):
    text = TEXT.replace("  - {kind: student}\n", "")
    text = text.replace(
        "{kind: ema, momentum: !near_one [0.5, 0.99], every: !int [1, 5]}", "{kind: uniform}"
    )
    study(tmp_path / "one", "snapshots={}", "rungs=null", text=text)
    findings = posthoc(tmp_path / "one", candidates=9, sampler=Qmc())
    assert len(findings.made) == findings.students
    assert findings.check.objectives.max() == 0  # the mean is exactly among the snapshots


# --- snapshots on disk --------------------------------------------------------------------------


def kept(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in (directory / "snapshots").rglob("*")
        if path.is_file()
    }


def test_only_students_trained_to_the_end_keep_their_snapshots(digits):
    directory, findings = digits
    whole = {
        str(file_of(folder(directory, job), member, task).relative_to(directory))
        for job, member in finished(findings.history)
        for task in range(3)
    }
    assert findings.history.in_state("pruned")
    assert set(kept(directory)) == whole
    folders = {path.name for path in (directory / "snapshots").iterdir()}
    assert folders == {Path(name).parts[1] for name in whole}


@pytest.mark.parametrize("after", [1, 2, 4])
def test_cut_anywhere_and_resumed_the_same_bytes_are_kept(tmp_path, after):
    more = ("snapshots={every: 4}",)
    study(tmp_path / "whole", *more, text=TEXT)
    with opened(tmp_path / "cut", *more, text=TEXT) as running:
        train(running, records=after)
    with reopened(tmp_path / "cut") as running:
        finish(running)
    assert kept(tmp_path / "cut") == kept(tmp_path / "whole")


def train(running, *, records):
    """Trains until so many records were told, and one more was measured that nobody heard of."""
    told = 0
    while (job := running.next_job()) is not None:
        worker, verdict = work(job), None
        while (verdict := running.tell(job.number, worker.send(verdict))) and told < records:
            told += 1
        if verdict:
            worker.send(verdict)
            return


def test_a_job_that_raises_leaves_nothing_behind(tmp_path):
    with opened(tmp_path / "cut", "snapshots={every: 4}", text=TEXT) as running:
        job = running.next_job()
        next(work(job))
        assert folder(running.directory, job.number).exists()
        running.fault(job.number, reason(RuntimeError("no")))
        assert not folder(running.directory, job.number).exists()
        finish(running)
    assert posthoc(tmp_path / "cut", candidates=1, sampler=Qmc()).students


def test_without_the_key_nothing_is_kept(tmp_path):
    study(tmp_path / "none", text=TEXT)
    assert not (tmp_path / "none" / "snapshots").exists()
    assert load(tmp_path / "none")[1].snapshots is None
    with pytest.raises(SpecError, match="kept no snapshots"):
        posthoc(tmp_path / "none", candidates=1, sampler=Qmc())


def test_merges_cannot_be_made_of_snapshots(tmp_path):
    text = TEXT.replace("{kind: student}", "{kind: merged, by: {kind: mean}}")
    study(tmp_path / "merged", "snapshots={}", "budget.candidates=2", text=text)
    with pytest.raises(SpecError, match="averagers of kind merged are no mixtures"):
        posthoc(tmp_path / "merged", candidates=1, sampler=Qmc())


def test_branches_cannot_be_made_of_snapshots(tmp_path):
    asked = ("snapshots={}", "budget.candidates=2", "recipe.branch={kind: annealed}")
    study(tmp_path / "branched", *asked, text=TEXT)
    with pytest.raises(SpecError, match=r"kind student \(which means a branch.*are no mixtures"):
        posthoc(tmp_path / "branched", candidates=1, sampler=Qmc())


def test_a_lost_snapshot_is_told_of(tmp_path):
    history = study(tmp_path / "lost", "snapshots={}", text=TEXT)
    job, member = finished(history)[0]
    file_of(folder(tmp_path / "lost", job), member, 1).unlink()
    with pytest.raises(SpecError, match=f"snapshots of member {member}"):
        posthoc(tmp_path / "lost", candidates=1, sampler=Qmc())


def test_snapshots_of_another_kind_are_refused(tmp_path):
    history = study(tmp_path / "odd", "snapshots={}", text=TEXT)
    job, member = finished(history)[0]
    path = file_of(folder(tmp_path / "odd", job), member, 1)
    taken = torch.load(path, weights_only=True)
    torch.save(taken | {"snapshots": taken["snapshots"][1:]}, path)
    with pytest.raises(SpecError, match="of another version's kind"):
        posthoc(tmp_path / "odd", candidates=1, sampler=Qmc())


def test_a_study_file_says_what_is_kept(tmp_path):
    study(tmp_path / "said", "snapshots={every: 3, gammas: [0, 2]}", text=TEXT)
    assert load(tmp_path / "said")[1].snapshots == Snapshots(every=3, gammas=(0.0, 2.0))


# --- the command --------------------------------------------------------------------------------


def equipoise(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def test_the_command_prints_the_front_and_writes_what_was_found(digits, tmp_path):
    directory, findings = digits
    out = tmp_path / "out"
    code, said, _ = equipoise("posthoc", directory, "--candidates", 20, "--out", out)
    assert code == 0
    assert f"hypervolume {findings.before:.4f} -> {findings.after:.4f}" in said
    assert "a second" in said and "objectives off by" in said
    told = json.loads((out / "posthoc.json").read_text())
    assert told["hypervolume"] == findings.after
    assert told["hypervolume_before"] == findings.before
    assert told["made"] == len(findings.made) and told["failed"] == 0
    assert told["error"]["objectives"]["max"] == findings.check.objectives.max()
    first = told["first_made"]
    assert first == len(findings.history.candidates)
    made = {row["candidate"] for row in told["front"] if row["candidate"] >= first}
    with (out / "candidates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(findings.made)
    assert {int(row["number"]) for row in rows if row["on_front"] == "True"} == made


def test_what_it_picks_can_be_trained(digits, tmp_path):
    directory, _ = digits
    equipoise("posthoc", directory, "--candidates", 20, "--out", tmp_path)
    for which in ("knee", "plasticity", "stability"):
        configuration = configurations.read(tmp_path / "best" / f"{which}.yaml")
        provenance = configuration.provenance
        said = provenance.get("made_of_snapshots", provenance)["values"]
        exact = configurations.train(configuration, tmp_path / which).metrics
        for name in ("plasticity", "stability"):
            assert abs(exact[name] - said[name]) < 0.03


@pytest.mark.parametrize(
    "words,complaint",
    [
        (["--candidates", 0], "--candidates: at least 1, got 0"),
        (["--sampler", "qmx"], "--sampler qmx: unknown kind (did you mean 'qmc'?)"),
    ],
)
def test_what_it_cannot_do_is_refused(digits, words, complaint):
    code, _, err = equipoise("posthoc", digits[0], *words)
    assert (code, err.strip()) == (2, complaint)
    assert not (digits[0] / "posthoc").exists()


def test_an_average_that_breaks_a_constraint_is_made_and_stands_nowhere(tmp_path):
    asked = ("snapshots={every: 4}", "budget.candidates=6", "rungs=null")
    bounds = 'constraints: {plasticity: ">= 0.9"}\n'
    study(tmp_path / "bounded", *asked, text=TEXT + bounds)
    findings = posthoc(tmp_path / "bounded", candidates=6, sampler=Qmc())
    found = reports.front(findings)
    assert {m.metrics["plasticity"] >= 0.9 for m in findings.made} == {True, False}
    numbered = dict(enumerate(findings.made, reports.first(findings)))
    on = {row.candidate for row in found.rows} & numbered.keys()
    assert all(numbered[n].metrics["plasticity"] >= 0.9 for n in on)
    assert found.infeasible.keys() & numbered.keys()
    parameters = TEXT + 'constraints: {parameters: "<= 400"}\n'
    study(tmp_path / "wide", *asked, text=parameters)
    with pytest.raises(SpecError, match="the constraint parameters is not known of averages made"):
        posthoc(tmp_path / "wide", candidates=6, sampler=Qmc())
