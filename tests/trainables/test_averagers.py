"""What each averager's table says, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from spaces.schedules.inverse_power import InversePower
from spaces.schedules.linear import Linear
from spaces.schedules.mean_ramp import MeanRamp
from tests.oracles.averages import follow, latest, updated, zscl
from trainables.averagers import coefficients
from trainables.averagers.carried_mean import CarriedMean
from trainables.averagers.delayed import Delayed
from trainables.averagers.ema import Ema
from trainables.averagers.held import Held
from trainables.averagers.lawa import Lawa
from trainables.averagers.power import Power
from trainables.averagers.relative_width import RelativeWidth
from trainables.averagers.restarted import Restarted
from trainables.averagers.spaced import Spaced
from trainables.averagers.stochastic import Stochastic
from trainables.averagers.student import Student
from trainables.averagers.synced import Synced
from trainables.averagers.tail import Tail
from trainables.averagers.task_mean import TaskMean
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


def test_coefficients_of_many_tables_are_those_of_each():
    tables = np.random.default_rng(0).random((2, 3, 7))
    many = coefficients(tables)
    for i, j in np.ndindex(2, 3):
        assert (many[i, j] == coefficients(tables[i, j])).all()
        kept = [np.prod(1 - tables[i, j, step + 1 :]) for step in range(7)]
        np.testing.assert_allclose(many[i, j], tables[i, j] * kept)


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


STUDENTS = np.random.default_rng(1).normal(size=(47, 3))


def ema(momentum, **fields):
    return Ema(momentum=Constant(value=momentum), **fields)


def at_ends(averager):
    """The average of ``STUDENTS`` after each task."""
    tables = [averager.weights_at(TASKS, task) for task in range(TASKS.task_count)]
    return np.array([coefficients(w) @ STUDENTS[: len(w)] for w in tables])


def after_each(averager):
    """The average of ``STUDENTS`` after each step."""
    w = averager.weights(TASKS)
    return np.array([follow(w[:n], STUDENTS[:n]) for n in range(1, 48)])


def tasks_of(students):
    return [students[a:b] for a, b in zip(TASKS.task_starts, TASKS.task_ends, strict=True)]


def test_restarted_knows_no_earlier_task():
    restarted = Restarted(averager=Ema(momentum=MeanRamp(limit=Constant(value=0.8))))
    expected = [updated(part, lambda t: min(t / (t + 1), 0.8))[-1] for part in tasks_of(STUDENTS)]
    np.testing.assert_allclose(at_ends(restarted), expected)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("delay", [0, 1, 7, 46, 47, 100])
def test_delayed_copies_until_it_begins(delay, every):
    delayed = Delayed(averager=ema(0.9, every=every), length=float(delay), unit="steps")
    expected = updated(STUDENTS, lambda _: 0.9, delay=delay, every=every)
    np.testing.assert_allclose(after_each(delayed), expected)
    started = ema(0.9, every=every, start=delay).weights(TASKS)
    np.testing.assert_allclose(delayed.weights(TASKS), started)


def test_delayed_starts_schedules_when_it_does():
    warm = Ema(momentum=InversePower(limit=Constant(value=0.7)))
    delayed = Delayed(averager=warm, length=12.0, unit="steps")
    expected = updated(STUDENTS, lambda t: min(0.7, 1 - (1 + t) ** (-2 / 3)), delay=12)
    np.testing.assert_allclose(after_each(delayed), expected)


def test_delayed_schedules_are_as_long_as_what_is_left():
    delayed = Delayed(averager=Ema(momentum=Linear(start=1.0, end=0.5)), length=12.0, unit="steps")
    w = delayed.weights(TASKS)
    np.testing.assert_allclose(w[[12, 13, 29, 46]], [1, 0.5 / 34, 0.25, 0.5])


def test_a_delay_in_each_task_is_a_share_of_it():
    delayed = Restarted(averager=Delayed(averager=Uniform(), length=0.5, unit="tasks"))
    # The tasks have 10, 3, 17 and 17 steps; halves are rounded to even.
    expected = [part[n:].mean(0) for part, n in zip(tasks_of(STUDENTS), (5, 2, 8, 8), strict=True)]
    np.testing.assert_allclose(at_ends(delayed), expected)


@pytest.mark.parametrize("unit,counts", [("tasks", (5, 2, 8, 8)), ("steps", (4, 3, 4, 4))])
def test_held_takes_in_nothing_meanwhile(unit, counts):
    held = Held(averager=ema(0.9), length=0.5 if unit == "tasks" else 4.0, unit=unit)
    average, expected = None, []
    for task, (part, count) in enumerate(zip(tasks_of(STUDENTS), counts, strict=True)):
        for i, student in enumerate(part):
            if i < count:
                average = student if task == 0 else average
            else:
                average = 0.9 * average + 0.1 * student
        expected.append(average)
    np.testing.assert_allclose(at_ends(held), expected)


def test_stochastic_is_the_update_of_cls_er():
    cls_er = Ema(momentum=MeanRamp(limit=Constant(value=0.9)))
    averager = Stochastic(averager=cls_er, probability=Constant(value=0.3), seed=5)
    expected = updated(
        STUDENTS,
        lambda t: min(1 - 1 / (t + 1), 0.9),
        chance=np.random.default_rng(5).random(47),
        probability=0.3,
    )
    np.testing.assert_allclose(after_each(averager), expected)


def test_chances_are_as_told_and_differ_by_seed():
    clock = Clock(steps=10_000)
    tables = [
        Stochastic(averager=ema(0.9), probability=Constant(value=0.3), seed=seed).weights(clock)
        for seed in (0, 1)
    ]
    assert all(abs((w > 0).mean() - 0.3) < 0.02 for w in tables)
    assert abs(((tables[0] > 0) & (tables[1] > 0)).mean() - 0.09) < 0.02


@pytest.mark.parametrize("probability,table", [(0.0, [1, 0, 0, 0]), (1.0, [1, 0.5, 0.5, 0.5])])
def test_what_is_certain_is_not_left_to_chance(probability, table):
    averager = Stochastic(averager=ema(0.5), probability=Constant(value=probability))
    np.testing.assert_array_equal(averager.weights(Clock(steps=4)), table)


def test_synced_forgets_all_at_every_sync():
    synced = Synced(averager=ema(0.9), every=20)
    expected = [updated(part, lambda _: 0.9) for part in np.split(STUDENTS, [20, 40])]
    np.testing.assert_allclose(after_each(synced), np.concatenate(expected))


@pytest.mark.parametrize("every", [1, 3, 46, 47, 100])
def test_spaced_does_what_an_ema_does_by_itself(every):
    momentum = Linear(start=0.2, end=0.9)
    np.testing.assert_allclose(
        Spaced(averager=Ema(momentum=momentum), every=every).weights(TASKS),
        Ema(momentum=momentum, every=every).weights(TASKS),
    )


def test_spaced_power_is_that_of_edm2():
    w = Spaced(averager=Power(gamma=6.94), every=4).weights(CLOCK)
    t = 1 + np.arange(20)
    expected = np.where(t % 4 == 1, 1 - (1 - 4 / np.maximum(4, t)) ** 7.94, 0)
    np.testing.assert_allclose(w, np.where(t == 1, 1, expected), atol=1e-12)


@pytest.mark.parametrize("every", [1, 2, 5, 30])
@pytest.mark.parametrize("kind,carried", [(TaskMean, False), (CarriedMean, True)])
def test_the_mean_of_a_task_counts_what_it_was_started_with(kind, carried, every):
    expected = zscl(STUDENTS, TASKS.task_starts, TASKS.task_ends, every, carried=carried)
    np.testing.assert_allclose(at_ends(kind(every=every)), expected)


def test_the_mean_of_a_task_weighs_its_start_like_any_other():
    c = coefficients(TaskMean(every=1).weights_at(TASKS, 2))
    np.testing.assert_allclose(c, [0] * 12 + [1 / 18] * 18, atol=1e-12)
    assert len(reading(TaskMean(every=1), TASKS).tables) == 2


@pytest.mark.parametrize(
    "width,gamma", [(0.05, 16.972), (0.1, 6.937), (0.15, 3.558), (0.2, 1.826), (0.25, 0.720)]
)
def test_relative_width_is_the_width_of_what_is_averaged(width, gamma):
    averager = RelativeWidth(width=width)
    assert averager.gamma == pytest.approx(gamma, abs=1e-3)
    c, share = coefficients(averager.weights(Clock(steps=4000))), (1 + np.arange(4000)) / 4000
    mean = c @ share
    assert np.sqrt(c @ (share - mean) ** 2) == pytest.approx(width, rel=2e-3)


def test_the_widest_is_the_mean_of_all_and_the_narrowest_can_be_a_power():
    widest = RelativeWidth(width=12**-0.5).weights(CLOCK)
    np.testing.assert_allclose(widest, Uniform().weights(CLOCK), atol=1e-6)
    assert RelativeWidth(width=0.005).gamma <= 200


@pytest.mark.parametrize("window", [Lawa(), TaskMean()])
def test_nothing_is_made_of_what_is_no_average_at_every_step(window):
    with pytest.raises(ValueError, match=f"got {type(window).__name__}, which has none"):
        Restarted(averager=window)
