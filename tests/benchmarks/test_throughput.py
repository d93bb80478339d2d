"""The benchmark at tiny sizes: every way of running gives the same results; no time is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import alone, throughput
from benchmarks.candidates import STUDIES, draw, folded, sample, unfolded
from benchmarks.drivers import cost
from benchmarks.feeds import Feed
from benchmarks.measurements import agreement
from benchmarks.memory import MEMBERS, holding
from benchmarks.printed import table
from benchmarks.shares import of_evaluation
from benchmarks.work import Work
from trainables.scenarios.rotated_digits import RotatedDigits

TINY = RotatedDigits(tasks=2, steps=5, train=100, validation=100)
ROOT = Path(__file__).parents[2]
ONE_ANSWER = 1 / TINY.validation
"""So few steps leave no time for a last bit to grow: at most one answer falls on the other side."""


def work(study, model, candidates, crews):
    return Work(study=study, model=model, candidates=candidates, crews=crews, scenario=TINY)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("study", STUDIES)
def test_loop_unfolded_and_folded_agree(study, model):
    candidates = draw(study, model, 12)
    singly = work(study, model, candidates, unfolded(candidates))
    together = work(study, model, candidates, folded(candidates, members=3, workers=1))
    plain = alone.plain_loop("plain_loop", singly, 0.0)
    one = alone.local_engine("unfolded", singly, 0.0)
    many = alone.local_engine("folded_local", together, 0.0)
    assert one.rows == many.rows
    assert [len(row) for row in many.rows[0]] == [1, 2]
    assert agreement(plain, many).most <= ONE_ANSWER * 1.001


@pytest.mark.ray
def test_all_ways_agree_and_are_told():
    plan = throughput.Plan(
        study="mixed",
        model="mlp",
        sizes=(32,),
        base=32,
        local=16,
        sample=4,
        few=3,
        scenario=TINY,
    )
    found = throughput.run((plan,))
    assert {m["way"] for m in found["measurements"]} == {
        "plain_ray",
        "plain_loop",
        "nudged_loop",
        "unfolded",
        "folded_local",
        "folded",
    }
    for told in found["agreements"]:
        exact = told["way"] in throughput.EXACT
        assert told["most"] <= (0 if exact else ONE_ANSWER * 1.001)
    assert throughput.differing(found) == []
    assert [row["candidates"] for row in found["ratios"]] == [32]
    assert all(m["seconds"] > 0 and m["start_up"] > 0 for m in found["measurements"])
    found |= {"memory": {"tensor_ratio": 1.0, "resident_ratio": 1.0}, "driver": cost(16)}
    found |= {"evaluation": of_evaluation(scenario=TINY)}
    assert json.loads(json.dumps(found)) == found
    assert "plain_ray x" in table(found)


def test_what_is_not_the_same_is_refused():
    def found(way, *, most, mean):
        told = {"model": "mlp", "study": "open", "beside": "folded"}
        nudged = told | {"way": "nudged_loop", "most": 0.1, "mean": 0.01}
        return {"agreements": [told | {"way": way, "most": most, "mean": mean}, nudged]}

    assert throughput.differing(found("unfolded", most=1e-9, mean=1e-9))
    assert not throughput.differing(found("unfolded", most=0.0, mean=0.0))
    assert not throughput.differing(found("plain_loop", most=0.2, mean=0.02))
    assert throughput.differing(found("plain_ray", most=0.2, mean=0.04))


def test_memory_counts_what_a_cohort_holds():
    few = holding(8)
    assert few["tensors"] >= MEMBERS * 8 * few["parameters"]


def test_differences_are_told():
    candidates = draw("closed", "mlp", 2)
    one = alone.plain_loop(
        "plain_loop", work("closed", "mlp", candidates, unfolded(candidates)), 0.0
    )
    rows = {c: [(row[0] + 0.5, *row[1:]) for row in rows] for c, rows in one.rows.items()}
    told = agreement(one, replace(one, way="folded", rows=rows))
    assert told.candidates == 2
    assert (told.accuracies, told.apart) == (6, 4)
    assert told.most == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no candidate in common"):
        agreement(one, replace(one, rows={}))


def test_candidates_are_the_same_whenever_drawn():
    for study in STUDIES:
        assert draw(study, "mlp", 130)[:70] == draw(study, "mlp", 70)


def test_samples_meet_both_sorts_of_students():
    candidates = draw("mixed", "mlp", 256)
    kinds = {type(c.recipe.strategy).__name__ for c in sample(candidates, 32)}
    assert kinds == {"Finetune", "MeanTeacher"}
    assert len({c.number for c in sample(candidates, 32)}) == 32
    assert sample(candidates, 300) == candidates


def test_crews_leave_no_worker_without():
    candidates = draw("open", "mlp", 256)
    assert [len(crew) for crew in folded(candidates, members=16, workers=2)] == [2, 2]
    seated = [n for crew in folded(candidates, members=3, workers=1) for m in crew for n in m]
    assert sorted(seated) == list(range(256))


def test_work_waits_for_the_last_worker_and_every_warm_up():
    feed = Feed(["a", "b"], ["x", "y"], workers=2)
    (first, _), (second, _) = feed.next(), feed.next()
    feed.done(first)
    again, _ = feed.next()
    assert not feed.counts(again)
    feed.done(second)
    assert [feed.next()[1] for _ in range(6)] == ["a", "a", "b", "b", "x", "y"]
    assert feed.next() is None
    assert feed.began > 0


def test_gpu_benchmark_runs_on_the_cpu_without_ray(tmp_path):
    file = tmp_path / "gpu.json"
    code = (
        "import sys; from benchmarks import gpu; gpu.main(); "
        "print(sorted({'ray', 'optuna', 'mlflow'} & sys.modules.keys()))"
    )
    options = ["--device", "cpu", "--sizes", "4", "16", "--few", "2", "--members", "3"]
    options += ["--steps", "2", "--models", "mlp", "--json"]
    said = subprocess.run(
        [sys.executable, "-c", code, *options, str(file)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.splitlines()[-1] == "[]"
    found = json.loads(file.read_text())
    assert set(found["studies"]) == {"mlp open", "mlp closed", "mlp mixed"}
    for study in found["studies"].values():
        assert [m["way"] for m in study["measurements"]] == [
            "plain_loop",
            "unfolded",
            "folded",
            "folded",
        ]
        loop, unfolded_ = study["agreements"]
        assert unfolded_["most"] == 0
        assert loop["mean"] <= throughput.LEAST


def test_the_share_of_evaluation_is_of_whole_jobs():
    rows = of_evaluation(scenario=TINY)
    assert {r["study"]: r["averages"] for r in rows} == {"open": 1024, "closed": 16, "mixed": 128}
    for row in rows:
        whole = row["training_seconds"] + row["evaluation_seconds"]
        assert row["share"] == row["evaluation_seconds"] / whole
        assert 0 < row["share"] < 1
