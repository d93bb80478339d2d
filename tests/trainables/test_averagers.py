"""What each averager's table says, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from spaces.schedules.linear import Linear
from tests.oracles.averages import latest
from trainables.averagers import coefficients
from trainables.averagers.ema import Ema
from trainables.averagers.lawa import Lawa
from trainables.averagers.power import Power
from trainables.averagers.student import Student
from trainables.averagers.tail import Tail
from trainables.averagers.uniform import Uniform
from trainables.readings import reading

CLOCK = Clock(steps=20)


def test_ema_of_constant_momentum():
    w = Ema(momentum=Constant(value=0.9)).weights(CLOCK)
    np.testing.assert_allclose(w, [1, *[0.1] * 19])


@pytest.mark.parametrize("every", [1, 2, 3, 7, 19, 20, 50])
@pytest.mark.parametrize("start", [0, 1, 4, 19, 30])
def test_the_horizon_of_an_ema_does_not_depend_on_its_cadence(every, start):
    ema = Ema(momentum=Linear(start=0.2, end=0.9), every=every, start=start)
    momenta, w = ema.momentum.table(CLOCK), ema.weights(CLOCK)
    for t in range(20):
        if t <= start:
            assert w[t] == 1
        elif (t - start) % every:
            assert w[t] == 0
        else:
            np.testing.assert_allclose(w[t], 1 - np.prod(momenta[t - every + 1 : t + 1]))


@pytest.mark.parametrize("every,start", [(1, 0), (3, 0), (1, 5), (4, 2)])
def test_uniform_is_the_mean_of_the_students_it_took_in(every, start):
    taken = np.arange(start, 20, every)
    expected = np.isin(np.arange(20), taken) / len(taken)
    np.testing.assert_allclose(
        coefficients(Uniform(every=every, start=start).weights(CLOCK)), expected, atol=1e-12
    )


@pytest.mark.parametrize("gamma", [0.0, 1.0, 6.94])
def test_power_weighs_the_student_of_age_share_s_by_s_to_the_gamma(gamma):
    # Continuous law (Karras et al., eq. 1): the weight of step t is proportional to t**gamma.
    steps = 4000
    t = np.arange(1, steps + 1)
    expected = t**gamma / np.sum(t**gamma)
    c = coefficients(Power(gamma=gamma).weights(Clock(steps=steps)))
    np.testing.assert_allclose(np.cumsum(c), np.cumsum(expected), atol=2e-3)


TASKS = Clock(steps=47, task_starts=(0, 10, 13, 30))


@pytest.mark.parametrize("every", [1, 3, 10, 50])
@pytest.mark.parametrize("window", [1, 2, 5, 100])
def test_lawa_is_the_mean_of_a_deque(window, every):
    students = np.random.default_rng(0).normal(size=(47, 3))
    lawa = Lawa(window=window, every=every)
    for task, expected in enumerate(latest(students, TASKS.task_ends, window, every)):
        c = coefficients(lawa.weights_at(TASKS, task))
        np.testing.assert_allclose(c @ students[: len(c)], expected)


@pytest.mark.parametrize(
    "window,every,rows", [(1, 1, 1), (3, 1, 1), (5, 1, 2), (25, 1, 2), (100, 1, 1)]
)
def test_windows_that_do_not_overlap_share_a_row(window, every, rows):
    # The tasks end after 10, 13, 30 and 47 steps.
    assert len(reading(Lawa(window=window, every=every), TASKS).tables) == rows


@pytest.mark.parametrize("share", [1e-9, 0.3, 1.0])
@pytest.mark.parametrize("every", [1, 2])
def test_tail_is_the_mean_of_the_last_part_of_each_task(share, every):
    tail = Tail(share=share, every=every)
    for task, (start, end) in enumerate(zip(TASKS.task_starts, TASKS.task_ends, strict=True)):
        first = end - max(1, round(share * (end - start)))
        taken = np.arange(first, end, every)
        expected = np.isin(np.arange(end), taken) / len(taken)
        np.testing.assert_allclose(coefficients(tail.weights_at(TASKS, task)), expected, atol=1e-12)


def test_the_student_is_only_itself():
    np.testing.assert_array_equal(coefficients(Student().weights(CLOCK)), np.eye(20)[-1])
