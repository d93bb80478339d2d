"""Averages made of others afterwards, against the averages themselves and against Karras et al."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from tests.oracles import posthoc as oracle
from tests.oracles.averages import follow
from trainables.averagers import Averager, coefficients
from trainables.averagers.ema import Ema
from trainables.averagers.power import Power
from trainables.averagers.uniform import Uniform
from trainables.posthoc import Reconstruction, reconstructions
from trainables.snapshots import Snapshots

STEPS = 40


@st.composite
def mixtures(draw, rows=6, steps=STEPS):
    """Shares that sum to 1, some of them on a few steps alone; the first step is always stored."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = rng.dirichlet(np.full(steps, 0.2), size=draw(st.integers(1, rows)))
    return np.vstack([np.eye(steps)[0], shares])


def walk(steps, width=4000, seed=0):
    return np.random.default_rng(seed).normal(size=(steps, width)).cumsum(axis=0)


def kept(every, steps=400, **more):
    """What a study with ``every`` stores of one task."""
    return Snapshots(every=every, **more).profiles(Clock(steps=steps))[0]


def table(averager, steps=400):
    return coefficients(averager.weights(Clock(steps=steps)))


def ema(momentum, every=1):
    return Ema(momentum=Constant(value=momentum), every=every)


@settings(max_examples=50, deadline=None)
@given(stored=mixtures(), targets=mixtures())
def test_weights_sum_to_one(stored, targets):
    weights = Reconstruction(stored).weights(targets)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=0, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(stored=mixtures(), data=st.data())
def test_what_is_stored_and_its_mixtures_are_made_exactly(stored, data):
    mixed = data.draw(mixtures(steps=len(stored))) @ stored
    both = np.vstack([stored, mixed])
    made = Reconstruction(stored)
    np.testing.assert_allclose(made.weights(both) @ stored, both, rtol=0, atol=1e-9)
    np.testing.assert_allclose(made.errors(both), 0, rtol=0, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(stored=mixtures(), targets=mixtures())
def test_no_other_weights_have_a_smaller_expected_error(stored, targets):
    weights = Reconstruction(stored).weights(targets)
    for mine, target in zip(weights, targets, strict=True):
        best = oracle.expected_error(oracle.best_weights(stored, target) @ stored, target)
        assert oracle.expected_error(mine @ stored, target) <= best + 1e-7


@settings(max_examples=50, deadline=None)
@given(stored=mixtures(rows=10), targets=mixtures(), data=st.data())
def test_the_order_of_snapshots_does_not_matter_and_more_do_not_harm(stored, targets, data):
    order = data.draw(st.permutations(range(len(stored))))
    whole = Reconstruction(stored).errors(targets)
    np.testing.assert_allclose(Reconstruction(stored[order]).errors(targets), whole, atol=1e-9)
    assert (Reconstruction(stored[:-1]).errors(targets) >= whole - 1e-9).all()


def test_the_expected_error_is_that_of_random_walks():
    targets = np.stack([table(ema(0.95)), table(ema(0.9, every=30)), table(Uniform())])
    made = Reconstruction(kept(25))
    students = walk(401)
    students -= students[0]  # the first weights
    meant = targets @ students[1:]
    off = made.weights(targets) @ kept(25) @ students[1:] - meant
    measured = np.linalg.norm(off, axis=1) / np.linalg.norm(meant, axis=1)
    np.testing.assert_allclose(measured, made.errors(targets), rtol=0.1, atol=1e-12)


@pytest.mark.parametrize("target", [ema(0.9), ema(0.99), ema(0.999, every=7), Power(gamma=7)])
def test_shorter_intervals_make_smaller_errors(target):
    errors = [Reconstruction(kept(every)).errors(table(target)[None])[0] for every in (40, 20, 10)]
    assert errors[0] > errors[1] > errors[2]
    assert Reconstruction(kept(1)).errors(table(target)[None])[0] < 1e-12


def test_the_mean_since_a_snapshot_is_made_exactly():
    since = np.zeros(400)
    since[100:] = 1 / 300
    errors = Reconstruction(kept(25)).errors(np.stack([table(Uniform()), since]))
    np.testing.assert_allclose(errors, 0, atol=1e-12)


def test_power_laws_are_made_about_as_well_as_of_power_laws_from_the_first_step_on():
    """On a random walk, with the reference doing what its paper says of it."""
    steps, every, stored_widths = 400, 25, (0.05, 0.10)
    ends = [end for end in range(every, steps + 1, every) for _ in stored_widths]
    gammas = [oracle.gamma_of(width) for width in stored_widths] * (steps // every)
    theirs = np.stack(
        [
            np.pad(table(Power(gamma=gamma), end), (0, steps - end))
            for end, gamma in zip(ends, gammas, strict=True)
        ]
    )
    ours = kept(every, gammas=(0.0, 1.0))
    assert len(ours) == len(theirs) + 1  # the first student
    students = walk(steps)
    for width in (0.07, 0.12, 0.2):
        gamma = oracle.gamma_of(width)
        target = table(Power(gamma=gamma))
        scale = np.linalg.norm(target @ students - students[-1])
        reference = oracle.weights(ends, gammas, steps, gamma) @ theirs
        made = Reconstruction(ours).weights(target[None])[0] @ ours
        off = [np.linalg.norm((shares - target) @ students) / scale for shares in (reference, made)]
        assert max(off) < 0.005


@settings(max_examples=80, deadline=None)
@given(
    averager=st.sampled_from([k for k in Averager.kinds.values() if k.followed]).flatmap(specs_of),
    every=st.integers(1, 12),
    lengths=st.lists(st.integers(1, 25), min_size=1, max_size=3),
)
def test_at_each_task_s_end_it_is_the_average_as_it_then_was(averager, every, lengths):
    ends = np.cumsum(lengths)
    clock = Clock(steps=int(ends[-1]), task_starts=(0, *map(int, ends[:-1])))
    profiles = Snapshots(every=every, gammas=(0.0, 1.0, 2.0)).profiles(clock)
    students = walk(clock.steps, width=8)
    taken = [p @ students[e - n : e] for p, e, n in zip(profiles, ends, lengths, strict=True)]
    snapshots = np.concatenate(taken)
    for task, made in enumerate(reconstructions(profiles)):
        weights = averager.weights_at(clock, task)
        row = made.weights(coefficients(weights)[None])
        off = row[0] @ snapshots[: row.shape[1]] - follow(weights, students[: len(weights)])
        moved = np.abs(np.diff(students, axis=0)).max(initial=0)
        assert np.abs(off).max() <= 1e-6 + every * moved
