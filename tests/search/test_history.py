"""The history is a pure fold: nothing but the events, in their order, makes it what it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.events import Asked, Ended, Measured, Opened, Outcome, Queued, Resumed
from search.goals import Goals
from search.history import History
from spaces.objectives import Objectives
from spaces.problems import SpecError
from tests.search.ledgers import stories

OPENED = Opened(name="study", text="name: study")
OBJECTIVES = Objectives.of({"plasticity": "max", "stability": "max"})
GOALS = Goals(objectives=OBJECTIVES)
LAW = settings(deadline=None, max_examples=80)


def asked(*numbers):
    return [Asked(candidate=n, knobs={}, config={}) for n in numbers]


def measured(candidate, task, at=0.0, value=0.5):
    accuracy = (value,) * (task + 1)
    return Measured(
        candidate=candidate, task=task, step=task, accuracy=accuracy, seconds=1.0, at=at
    )


def outcome(candidate, state="complete", values=None, at=0.0):
    values = {"plasticity": 0.5, "stability": 0.5} if values is None else values
    return Outcome(candidate=candidate, state=state, values=values, task=1, at=at)


def folded(history, events):
    for event in events:
        history.add(event)
    return history


@LAW
@given(stories(), st.integers(1, 25))
def test_a_prefix_and_then_the_rest_is_the_whole(told, cut):
    assert folded(History.of(told[:cut]), told[cut:]) == History.of(told)


@LAW
@given(stories())
def test_every_candidate_is_in_one_state(told):
    history = History.of(told)
    counts = history.counts()
    assert counts.pop("candidates") == sum(counts.values())
    assert set(history.running()).isdisjoint(history.outcomes)


@LAW
@given(stories())
def test_records_and_outcomes_told_again_change_nothing(told):
    again = [e for e in told if isinstance(e, Measured | Outcome)]
    assert folded(History.of(told), again) == History.of(told)


@LAW
@given(stories())
def test_the_front_is_made_of_full_streams_that_nothing_full_beats(told):
    history = History.of(told)
    front, complete = history.front(GOALS), history.in_state("complete")
    assert set(front) <= set(complete)
    assert bool(front) == bool(complete)
    values = history.values(complete, OBJECTIVES.names)
    for candidate in front:
        mine = history.values([candidate], OBJECTIVES.names)[0]
        assert not ((values >= mine).all(axis=1) & (values > mine).any(axis=1)).any()


def test_the_hypervolume_is_that_of_the_complete():
    told = [
        OPENED,
        *asked(0, 1, 2),
        outcome(0, values={"plasticity": 0.5, "stability": 0.4}),
        outcome(1, "pruned", {"plasticity": 1.0, "stability": 1.0}),
    ]
    assert History.of(told).hypervolume(GOALS) == pytest.approx(0.2)
    assert History.of(told[:4]).hypervolume(GOALS) == 0.0
    assert History.of(told[:4]).front(GOALS) == []


def test_a_metric_that_is_not_defined_keeps_a_candidate_off_the_front():
    told = [OPENED, *asked(0, 1), outcome(0, values={"plasticity": 1.0}), outcome(1)]
    history = History.of(told)
    assert np.isnan(history.values([0], OBJECTIVES.names)).tolist() == [[False, True]]
    assert history.front(GOALS) == [1]
    assert history.hypervolume(GOALS) == pytest.approx(0.25)


def test_the_latest_job_of_a_candidate_counts_and_owes_its_outcome():
    told = [
        OPENED,
        *asked(0, 1, 2),
        Queued(job=0, members=((0, 1), (2,)), seed=0),
        outcome(1, "pruned"),
        Queued(job=1, members=((2,),), seed=0),
    ]
    history = History.of(told)
    assert [q.job for q in history.unfinished_jobs()] == [0, 1]
    assert (history.alive(0), history.alive(1)) == ([0], [2])
    assert [q.job for q in folded(history, [outcome(0)]).unfinished_jobs()] == [1]


def test_rows_are_the_lower_triangle_in_the_order_of_tasks():
    told = [OPENED, *asked(0), measured(0, 1, value=0.25), measured(0, 0, value=0.5)]
    history = History.of(told)
    assert history.rows(0) == [(0.5,), (0.25, 0.25)]
    assert history.device_seconds() == 2.0


def test_a_study_that_goes_on_has_not_ended_and_its_time_never_runs_back():
    told = [OPENED, Ended(reason="stopped", at=9.0)]
    assert History.of(told).ended == told[1]
    later = History.of([*told, Resumed(at=4.0)])
    assert later.ended is None
    assert later.seconds == 9.0


@pytest.mark.parametrize(
    "told, says",
    [
        ([], "does not begin with its study"),
        (asked(0), "does not begin with its study"),
        ([OPENED, OPENED], "opens a second study"),
        ([OPENED, measured(7, 0)], "record of candidate 7: it was never"),
        ([OPENED, outcome(7)], "outcome of candidate 7: it was never"),
        ([OPENED, Queued(job=0, members=((7,),), seed=0)], "job of candidate 7: it was never"),
    ],
)
def test_events_that_tell_no_study_are_refused(told, says):
    with pytest.raises(SpecError, match=says):
        History.of(told)
