from __future__ import annotations

import math

import pytest

from reports import plots
from reports.averages import half_life, half_lives
from search.history import History
from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.reports import studies
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.averagers.uniform import Uniform

CLOCK = Clock(steps=4000, task_starts=(0, 2000))


@pytest.mark.parametrize("momentum", [0.9, 0.99, 0.995])
def test_of_an_ema_it_is_that_of_its_momentum(momentum):
    said = half_life(Ema(momentum=Constant(value=momentum)), CLOCK)
    assert said == pytest.approx(math.log(0.5) / math.log(momentum), rel=0.01)


def test_of_the_student_it_is_half_a_step_and_of_the_uniform_average_half_the_stream():
    assert half_life(Student(), CLOCK) == 0.5
    assert half_life(Uniform(), CLOCK) == pytest.approx(CLOCK.steps / 2)


def test_an_average_that_never_learns_remembers_the_whole_stream():
    assert half_life(Ema(momentum=Constant(value=1.0)), CLOCK) == pytest.approx(CLOCK.steps - 0.5)


def test_it_is_told_of_complete_candidates():
    history = studies.small()
    assert list(half_lives(history, studies.study_of(history))) == [0, 1, 2, 3]


def test_merges_have_none():
    merged = "averagers=[{kind: merged, by: {kind: mean}}, {kind: student}, {kind: uniform}]"
    history = History.of([studies.opened(overrides=(merged,)), *studies.small_events()[1:]])
    study = studies.study_of(history)
    averagers = {0: {"kind": "merged", "by": {"kind": "mean"}}, 1: {"kind": "student"}}
    for c in history.candidates:
        history.candidates[c].config["averager"] = averagers[min(c, 1)]
    assert list(half_lives(history, study)) == [1, 2, 3]
    assert plots.averages(history, study).axes
