"""A block of students taken into averages by a compiled function: the numbers of a plain chain, to the last bit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.oracles.averages import absorbed
from trainables import absorbing, mixing
from trainables.mixing import GROUP

BAD = [torch.nan, torch.inf, -torch.inf]
COLUMNS = [1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 100, 1024 + 32 + 5]


class Case(NamedTuple):
    """Averages [M, K, P], decays [M, W], weights [n, M, W], students [M, n, P]."""

    averages: Tensor
    decays: Tensor
    weights: Tensor
    students: Tensor

    def after(self, way=absorbing.take_in_):
        averages = self.averages.clone()
        way(averages, *self[1:])
        return averages


def case(*, members=1, count=1, columns=1, steps=1, seed=0):
    """Copies, skips and averaging, by shares that mean something together."""
    rng = np.random.default_rng(seed)
    width = -(-count // GROUP) * GROUP
    decays = rng.choice([0, 1, 0.5, rng.random()], size=(members, width))
    weights = rng.random((steps, members, width)) * (rng.random((steps, members, width)) < 0.7)
    decays[:, count:], weights[:, :, count:] = 0, 0
    some = (
        rng.standard_normal((members, count, columns)),
        decays,
        weights / steps,
        rng.standard_normal((members, steps, columns)),
    )
    return Case(*(torch.from_numpy(x).float() for x in some))


@st.composite
def cases(draw, members=3, count=2 * GROUP + 1):
    made = case(
        members=draw(st.integers(1, members)),
        count=draw(st.integers(1, count)),
        columns=draw(st.sampled_from(COLUMNS)),
        steps=draw(st.one_of(st.integers(1, 25), st.just(40))),
        seed=draw(st.integers(0, 2**31)),
    )
    for tensor in (made.averages, made.students):
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, tensor.numel() - 1))
            tensor.view(-1)[place] = draw(st.sampled_from(BAD))
    return made


def bits(x):
    """Of numbers that are none, only that."""
    return torch.where(x.isfinite(), x, torch.nan).view(torch.int32)


def alike(a, b):
    return torch.equal(bits(a), bits(b))


@settings(max_examples=40, deadline=None)
@given(made=cases(), data=st.data())
def test_each_number_is_a_chain_of_sums_that_are_rounded_once(made, data):
    after, (members, count, columns) = made.after(), made.averages.shape
    m = data.draw(st.integers(0, members - 1))
    bad = [
        tensor[m].isfinite().logical_not().any(0).nonzero()[:, 0] for tensor in (made[0], made[3])
    ]
    some = {0, columns - 1, data.draw(st.integers(0, columns - 1)), *torch.cat(bad).tolist()}
    for p in some:
        for k in range(count):
            number = absorbed(
                made.averages[m, k, p].item(),
                made.decays[m, k].item(),
                made.weights[:, m, k],
                made.students[m, :, p],
            )
            assert alike(after[m, k, p], torch.tensor(number)), (k, p)


@settings(max_examples=40, deadline=None)
@given(made=cases())
def test_it_is_what_pytorch_makes_of_it(made):
    exact = Case(*(x.double() for x in made)).after(mixing.take_in_)
    for way in (absorbing.take_in_, mixing.take_in_):
        after = made.after(way)
        assert torch.equal(after.isfinite(), exact.isfinite())
        torch.testing.assert_close(
            after.double().nan_to_num(0, 0, 0), exact.nan_to_num(0, 0, 0), rtol=0, atol=1e-5
        )


@settings(max_examples=40, deadline=None)
@given(made=cases(), data=st.data())
def test_each_average_has_the_bits_it_would_have_alone(made, data):
    after, (members, count, columns) = made.after(), made.averages.shape
    m, k = data.draw(st.integers(0, members - 1)), data.draw(st.integers(0, count - 1))
    p = data.draw(st.integers(0, columns - 1))
    decays = torch.zeros(1, GROUP)
    weights = torch.zeros(len(made.weights), 1, GROUP)
    decays[0, 0], weights[:, 0, 0] = made.decays[m, k], made.weights[:, m, k]
    alone = Case(made.averages[m : m + 1, k : k + 1], decays, weights, made.students[m : m + 1])
    assert alike(alone.after()[0, 0], after[m, k])
    cut = alone._replace(averages=alone.averages[:, :, p:], students=alone.students[:, :, p:])
    assert alike(cut.after()[0, 0], after[m, k, p:])


@settings(max_examples=40, deadline=None)
@given(made=cases(), before=st.integers(0, 20), beside=st.integers(0, 20))
def test_where_rows_lie_changes_nothing_and_nothing_beside_them_is_written(made, before, beside):
    wide = [torch.nn.functional.pad(x, (before, beside), value=7.0) for x in (made[0], made[3])]
    columns = slice(before, before + made.averages.shape[2])
    averages = torch.cat([wide[0], torch.full_like(wide[0][:, :1], 7.0)], dim=1)
    students = torch.cat([wide[1], torch.full_like(wide[1][:, :1], torch.nan)], dim=1)
    count, steps = made.averages.shape[1], len(made.weights)
    rows = averages[:, :count, columns]
    absorbing.take_in_(rows, made.decays, made.weights, students[:, :steps, columns])
    assert alike(rows, made.after())
    rows.fill_(7)
    assert averages.eq(7).all()


@pytest.mark.parametrize("steps", range(1, 26))
def test_blocks_of_any_length(steps):
    made = case(members=2, count=9, columns=50, steps=steps, seed=steps)
    longer = made._replace(
        weights=torch.cat([made.weights, torch.zeros(3, *made.weights.shape[1:])]),
        students=torch.cat([made.students, torch.full((2, 3, 50), torch.nan)], dim=1),
    )
    assert alike(made.after(), longer.after())


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 15, 16, 40])
def test_what_is_not_finite_reaches_what_takes_it_in_and_nothing_else(bad, place):
    made = case(members=1, count=4, columns=41, steps=3)
    made.decays[0, :4] = torch.tensor([0.5, 0, 1, 0.25])
    made.weights[:, 0, :4] = torch.tensor([[0.25, 0, 0, 0], [0.25, 0, 0, 0.5], [0, 1, 0, 0.25]])
    clean = made.after()
    made.students[0, 0, place] = bad
    made.averages[0, 1, place] = bad
    after = made.after()
    assert not after[0, 0, place].isfinite()
    after[0, 0, place] = clean[0, 0, place]
    assert torch.equal(after, clean)
    assert torch.equal(after[0, 1], made.students[0, 2])  # copied
    assert torch.equal(after[0, 2], made.averages[0, 2])  # skipped


def test_sums_beyond_float32_are_not_finite_and_leave_the_others_as_they_are():
    made = case(count=3, columns=20, steps=2)
    made.decays[:, :3], made.weights[:, 0, :3] = 1, torch.tensor([[1.0, 0.5, 0], [0.5, 0.25, 0]])
    made.students[0, :, 4] = 3e38
    after = made.after()
    assert not after[0, 0, 4].isfinite()
    assert after.isfinite().sum() == after.numel() - 1
    assert alike(after[0, 2], made.averages[0, 2])


@pytest.mark.parametrize("members,count", [(0, 3), (2, 0)])
def test_nothing_is_taken_in_where_there_is_no_average(members, count):
    averages, students = torch.ones(members, count, 20), torch.ones(members, 4, 20)
    absorbing.take_in_(averages, torch.ones(members, 8), torch.ones(4, members, 8), students)
    assert averages.eq(1).all()
