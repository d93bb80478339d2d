"""What the time to a front is worked out of. The runs themselves are the benchmark's."""

from __future__ import annotations

import json

import optuna
import pytest

from benchmarks.plain_search import Told, configured
from benchmarks.time_to_front import STUDY, Trace, _kept, _trace, _write, compared, summary
from search import studyfile
from search.samplers.coordinates import value


@pytest.fixture(scope="module")
def file():
    return studyfile.read(STUDY)


def test_optuna_is_asked_for_the_very_space_of_the_study(file):
    """What its trial is given makes the candidate that the same draws make in the study."""
    study = optuna.create_study(
        directions=["maximize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=1)
    )
    met = set()
    for _ in range(30):
        trial = study.ask()
        Told(file, 0.0).draw(trial)
        knobs = file.space.knobs()
        values = {name: value(knobs[name], x) for name, x in trial.params.items()}
        _, filled = file.space.draw(lambda path, _: values[".".join(map(str, path))])  # noqa: B023 - called at once
        recipe, averager = file.candidate(filled)
        made = configured(file, trial.params)
        assert (made.recipe, made.averager) == (recipe, averager)
        met.add(recipe.strategy.kind)
    assert met == {"finetune", "mean_teacher"}


def test_a_trace_charges_for_all_that_had_begun(file):
    # Two workers: one trains over [0, 4] and [4, 6] seconds, the other over [0, 5].
    complete = [(4.0, (0.5, 0.5)), (5.0, (0.4, 0.4)), (6.0, (0.9, 0.2))]
    trace = _trace(file, complete, [(4.0, 4.0), (5.0, 5.0), (6.0, 2.0)], late=3.0, candidates=7)
    assert trace.device_seconds == (9.0, 11.0, 11.0)
    assert trace.wall_seconds == (7.0, 8.0, 9.0)
    assert trace.hypervolume == pytest.approx((0.25, 0.25, 0.25 + 0.4 * 0.2))
    assert trace.candidates == 7


def traces(*, worth):
    ours = Trace(
        candidates=9,
        hypervolume=(0.2, 0.5, 0.6),
        device_seconds=(1.0, 2.0, 30.0),
        wall_seconds=(4.0, 5.0, 99.0),
    )
    theirs = Trace(
        candidates=2,
        hypervolume=(0.1, worth),
        device_seconds=(9.0, 20.0),
        wall_seconds=(8.0, 15.0),
    )
    return ours, theirs


def test_ratios_are_to_where_the_plain_front_is_reached():
    row = compared(3, *traces(worth=0.4))
    assert row["device_ratio"] == 10.0
    assert row["wall_ratio"] == 3.0
    assert row["equipoise_hypervolume_at_equal_wall"] == 0.5  # the 0.6 came too late
    assert row["reached"] is True


def test_a_front_that_is_never_reached_is_no_ratio_and_counts_as_0():
    rows = [compared(0, *traces(worth=0.7)), compared(1, *traces(worth=0.4))]
    assert rows[0]["reached"] is False
    assert "device_ratio" not in rows[0]
    found = summary(rows)
    assert found["reached"] == 1
    assert found["device_ratio"]["worst"] == 0
    assert found["device_ratio"]["median"] == 5.0


def test_an_interrupted_call_is_taken_up_again_and_another_one_is_not(tmp_path):
    file = tmp_path / "deep" / "found.json"
    assert _kept(file, {"trials": 3}) == []
    _write(file, {"trials": 3, "seeds": [{"seed": 0}]})
    assert _kept(file, {"trials": 3}) == [{"seed": 0}]
    assert _kept(file, {"trials": 4}) == []
    assert json.loads(file.read_text())["trials"] == 3
    assert [p.name for p in file.parent.iterdir()] == ["found.json"]
