"""What deciding costs, at tiny sizes: all that is told is there, and adds up. No time is judged."""

from __future__ import annotations

import json

import pytest

from benchmarks import asking

BRIEF = "scenario={kind: rotated_digits, tasks: 3, degrees: 30, steps: 5}"


def told(tmp_path, *words):
    file = tmp_path / "asking.json"
    asking.main([*words, "--set", BRIEF, "--json", str(file)])
    return json.loads(file.read_text())


def test_repeats_are_candidates_too(tmp_path, capsys):
    repeated = ("--set", "repeats={seeds: 3}")
    (run,) = told(tmp_path, "--candidates", "128", "--trained", "0", *repeated)["runs"]
    assert run["outcomes"]["candidates"] == 128
    assert run["outcomes"]["repeats"] > 0
    assert run["outcomes"]["running"] == 0
    assert '"of_training"' not in capsys.readouterr().out


def test_shares_are_of_what_was_trained_in_the_same_run(tmp_path, capsys):
    found = told(tmp_path, "--candidates", "64", "128", "--trained", "16")
    training = found["training"]
    assert training["candidates"] == 16
    assert training["recorded"] > 0 < training["cpu"]
    for run in found["runs"]:
        parts, share = run["parts"], run["of_training"]
        own = parts["sampler: ask"] + parts["sampler: tell"] + parts["rungs"]
        assert share["sampler and rungs"] == pytest.approx(own / training["cpu"])
        assert share["everything"] == pytest.approx(run["all"] / training["cpu"])
    assert '"of_training"' in capsys.readouterr().out


def test_all_but_the_deciding_is_training(tmp_path):
    """The stopwatch is taken off again, and what was decided in the real study is no training."""
    with asking.Stopwatch(asking.DECIDING) as watch:
        next_job, tell = asking.Study.next_job, asking.Study.tell
        found = asking.trained(8, (BRIEF,), tmp_path)
        assert (asking.Study.next_job, asking.Study.tell) == (next_job, tell)
    assert next_job is not asking.Study.next_job
    assert watch.seconds["deciding"] > 0
    assert found["cpu"] > 0
