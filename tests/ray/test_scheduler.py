"""Multi-objective ASHA as Ray's scheduler: on a virtual clock, and in Ray."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray import tune

from search.engines.scheduler import MultiObjectiveASHA, MultiObjectiveHyperband
from search.rungs.asha import Asha
from search.worths.contribution import Contribution
from search.worths.epsilon_net import EpsilonNet
from tests.oracles import rungs as oracle
from tests.ray.trainables import forgetful, steady

OBJECTIVES = {"accuracy": "max", "latency": "min"}


def report(scheduler, trial, t, accuracy, latency, **more):
    result = {"training_iteration": t, "accuracy": accuracy, "latency": latency, **more}
    return scheduler.on_trial_result(None, SimpleNamespace(trial_id=trial), result)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_decides_as_the_rung_does(rows):
    scheduler = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2)
    rung = Asha(factor=2).rung([math.inf, math.inf])
    for trial, (accuracy, latency) in enumerate(rows):
        goes_on = rung.judge({trial: (-accuracy, latency)}, {trial: trial}) == {trial}
        decision = report(scheduler, str(trial), 1, accuracy, latency)
        assert decision == ("CONTINUE" if goes_on else "STOP")


def test_judges_at_rungs_alone_and_each_once():
    scheduler = MultiObjectiveASHA(OBJECTIVES, grace_period=2, reduction_factor=2, max_t=9)
    for good in ("a", "b", "c"):
        assert report(scheduler, good, 2, 1.0, 1.0) == "CONTINUE"
    assert report(scheduler, "z", 1, 0.0, 9.0) == "CONTINUE"  # before the first rung
    assert report(scheduler, "a", 3, 0.0, 9.0) == "CONTINUE"  # between rungs
    assert report(scheduler, "a", 2, 0.0, 9.0) == "CONTINUE"  # again, after a recovery
    assert report(scheduler, "z", 2, 0.0, 9.0) == "STOP"
    assert report(scheduler, "a", 9, 1.0, 1.0) == "STOP"  # at max_t


def test_one_that_jumps_over_rungs_is_judged_at_the_last():
    scheduler = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2, max_t=9)
    assert report(scheduler, "a", 5, 1.0, 1.0) == "CONTINUE"
    assert scheduler.debug_string().endswith("1: 0 | 2: 0 | 4: 1 | 8: 0")
    assert report(scheduler, "b", 4, 0.0, 2.0) == "STOP"
    assert scheduler.debug_string().startswith("MultiObjectiveASHA: 1 stopped")


def test_hyperband_judges_some_late_and_some_never():
    scheduler = MultiObjectiveHyperband(OBJECTIVES, reduction_factor=2, max_t=4)
    # Rungs 1 and 2: in ten turns four have both, three the second alone, three neither.
    trials = [f"t{i}" for i in range(10)]
    for trial in trials:
        report(scheduler, trial, 1, 1.0, 1.0)
    assert scheduler.debug_string().endswith("1: 4 | 2: 0")
    for trial in trials:
        report(scheduler, trial, 2, 1.0, 1.0)
    assert (
        scheduler.debug_string()
        == "MultiObjectiveHyperband: 0 stopped; results at each rung: 1: 4 | 2: 7"
    )


def test_who_of_a_front_is_better_may_be_said():
    rows = dict(enumerate((-x, float(-x)) for x in (4, 18, 2, 8, 3, 15, 14)))
    for within, worth in [
        (Contribution(), oracle.contribution),
        (EpsilonNet(), oracle.epsilon_net),
    ]:
        scheduler = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2, within=within)
        for i, (accuracy, latency) in rows.items():
            seen = {j: (-a, b) for j, (a, b) in rows.items() if j < i}
            on = oracle.goes_on(
                seen, {i: (-accuracy, latency)}, factor=2, reference=(math.inf,) * 2, worth=worth
            )
            expected = "CONTINUE" if on else "STOP"
            assert report(scheduler, str(i), 1, accuracy, latency) == expected


def test_rungs_are_counted_in_integers():
    scheduler = MultiObjectiveASHA(OBJECTIVES, max_t=244)
    assert [s.split(":")[0] for s in scheduler.debug_string().split("rung: ")[1].split(" | ")] == [
        "1",
        "3",
        "9",
        "27",
        "81",
        "243",
    ]


def test_not_finite_is_stopped_and_does_not_count():
    scheduler = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2)
    assert report(scheduler, "a", 1, math.nan, 1.0) == "STOP"
    assert report(scheduler, "b", 1, math.inf, 1.0) == "STOP"
    assert report(scheduler, "c", 1, 0.1, 9.0) == "CONTINUE"


def test_saved_and_restored_decides_as_the_one_that_never_died(tmp_path):
    lived = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2)
    for trial, accuracy in zip("abcd", (0.9, 0.8, 0.7, 0.6), strict=True):
        report(lived, trial, 1, accuracy, 1.0)
    lived.save(str(tmp_path / "asha"))
    risen = MultiObjectiveASHA(OBJECTIVES, reduction_factor=2)
    risen.restore(str(tmp_path / "asha"))
    assert risen.debug_string() == lived.debug_string()
    for trial, accuracy in [("e", 0.5), ("f", 0.95)]:
        assert report(risen, trial, 1, accuracy, 1.0) == report(lived, trial, 1, accuracy, 1.0)


def test_a_report_without_an_objective_is_an_error_that_says_which():
    with pytest.raises(ValueError, match=r"got none of \['latency'\] from trial a, which reported"):
        MultiObjectiveASHA(OBJECTIVES).on_trial_result(
            None, SimpleNamespace(trial_id="a"), {"training_iteration": 1, "accuracy": 1.0}
        )


@pytest.mark.parametrize(
    ("objectives", "options", "message"),
    [
        ({"accuracy": "max"}, {}, "objectives are two or more"),
        ({"accuracy": "max", "latency": "less"}, {}, "'min' or 'max', got objectives="),
        (OBJECTIVES, {"grace_period": 0}, "got grace_period=0"),
        (OBJECTIVES, {"grace_period": 9, "max_t": 3}, "got grace_period=9 max_t=3"),
        (OBJECTIVES, {"reduction_factor": 1}, "reduction_factor=1"),
    ],
)
def test_wrong_arguments_are_refused(objectives, options, message):
    with pytest.raises(ValueError, match=message):
        MultiObjectiveASHA(objectives, **options)


def fit(trainable, cases, folder, scheduler):
    tuner = tune.Tuner(
        trainable,
        param_space={"case": tune.grid_search(cases)},
        tune_config=tune.TuneConfig(scheduler=scheduler, max_concurrent_trials=1),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
    )
    return tuner.fit()


@pytest.mark.ray
def test_in_ray_a_front_goes_on_and_the_dominated_and_the_diverged_stop(local_ray, tmp_path):
    front = [(0.9, 9.0), (0.5, 5.0), (0.1, 1.0)]
    others = [(0.05, 9.5), (math.nan, 5.0)]
    scheduler = MultiObjectiveASHA(OBJECTIVES, grace_period=2, reduction_factor=2, max_t=20)
    results = fit(steady, front + others, tmp_path, scheduler)
    assert not results.errors
    steps = {tuple(r.config["case"]): r.metrics["training_iteration"] for r in results}
    expected = dict.fromkeys(front, 9) | dict.fromkeys(others, 2)
    assert {str(k): v for k, v in steps.items()} == {str(k): v for k, v in expected.items()}


# Ray leaves its loggers' files open when an error ends the sweep.
@pytest.mark.filterwarnings("ignore:.*result.json:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file.*result.json:ResourceWarning")
@pytest.mark.ray
def test_in_ray_a_missing_metric_is_a_clear_error(local_ray, tmp_path):
    with pytest.raises(Exception, match=r"every objective, got none of \['latency'\] from trial"):
        fit(forgetful, [(0.5, 1.0)], tmp_path, MultiObjectiveASHA(OBJECTIVES))


@pytest.mark.ray
def test_in_ray_a_metric_of_tunes_own_is_refused(local_ray, tmp_path):
    with pytest.raises(ValueError, match="already instantiated with their own `metric`"):
        tune.run(
            steady,
            config={"case": (0.1, 1.0)},
            metric="accuracy",
            mode="max",
            scheduler=MultiObjectiveASHA(OBJECTIVES),
            storage_path=str(tmp_path),
            verbose=0,
        )
