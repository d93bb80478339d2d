"""Blocks of steps taken in at once, against every student taken in by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.averages import follow
from trainables.bank import BLOCK, Bank, absorb_

P = 32

pytestmark = [  # compiled, where it can be, and by PyTorch
    pytest.mark.usefixtures("threads"),
    pytest.mark.parametrize("threads", [1, 2], indirect=True),
]


@st.composite
def tables(draw, steps):
    """A first copy, then copies, skips, slow and fast averaging in any order and proportion."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = rng.choice([0.0, 1.0, 1e-4, 0.5, -1], size=steps, p=rng.dirichlet(np.ones(5)))
    table = np.where(shares < 0, rng.random(steps), shares)
    table[0] = 1
    return table


@st.composite
def cases(draw, members=3, averages=10):
    """Tables of each member's averages, and the blocks of a stream of up to three tasks."""
    lengths = draw(st.lists(st.integers(1, 2 * BLOCK + 3), min_size=1, max_size=3))
    edges = np.cumsum([0, *lengths])
    blocks = [
        range(a, min(a + BLOCK, end))
        for start, end in pairwise(edges)
        for a in range(start, end, BLOCK)
    ]
    count = st.lists(tables(int(edges[-1])), min_size=1, max_size=averages)
    return draw(st.lists(count, min_size=1, max_size=members)), blocks, int(edges[-1])


def students_of(members, steps, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(members, steps, P, generator=rng)


def filled(weights, blocks, students):
    bank = Bank(weights, blocks, students[:, 0])
    for block in blocks:
        bank.absorb_(block, students[:, block.start : block.stop])
    return bank


def close(fast, slow, students):
    """To 1e-5 of the largest number averaged, where finite."""
    finite = np.isfinite(slow)
    largest = float(students[students.isfinite()].abs().max())
    np.testing.assert_allclose(np.asarray(fast)[finite], slow[finite], rtol=0, atol=1e-5 * largest)


def same(a, b):
    return torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_equals_taking_in_each_student_by_itself(case):
    weights, blocks, steps = case
    students = students_of(len(weights), steps)
    bank = filled(weights, blocks, students)
    slow = [follow(table, s.numpy()) for m, s in zip(weights, students, strict=True) for table in m]
    close(bank.alive(), np.stack(slow), students)


@settings(max_examples=40, deadline=None)
@given(case=cases(), data=st.data())
def test_a_student_that_is_not_finite_reaches_exactly_whom_it_should(case, data):
    weights, blocks, steps = case
    students = students_of(len(weights), steps)
    for _ in range(data.draw(st.integers(1, 3))):
        m = data.draw(st.integers(0, len(weights) - 1))
        step = data.draw(st.integers(0, steps - 1))
        students[m, step, data.draw(st.integers(0, P - 1))] = data.draw(
            st.sampled_from([torch.nan, torch.inf, -torch.inf])
        )
    slow = np.stack(
        [follow(table, s.numpy()) for m, s in zip(weights, students, strict=True) for table in m]
    )
    fast = filled(weights, blocks, students).alive().numpy()
    np.testing.assert_array_equal(np.isfinite(fast), np.isfinite(slow))
    close(fast, slow, students)


@settings(max_examples=25, deadline=None)
@given(case=cases(averages=17), bad=st.booleans())
def test_each_average_has_the_bits_it_would_have_alone(case, bad):
    weights, blocks, steps = case
    students = students_of(len(weights), steps)
    if bad:  # a neighbour that diverges changes the path, not the numbers
        students[0, steps // 2, 3] = torch.nan
    together = iter(filled(weights, blocks, students).alive())
    for m, member in enumerate(weights):
        for table in member:
            alone = filled([[table]], blocks, students[m : m + 1]).alive()[0]
            assert same(next(together), alone)


@settings(max_examples=25, deadline=None)
@given(case=cases(averages=17), data=st.data())
def test_dropping_averages_does_not_change_the_others(case, data):
    weights, blocks, steps = case
    students = students_of(len(weights), steps)
    cut = data.draw(st.integers(0, len(blocks)))
    rows = [sorted(data.draw(st.sets(st.integers(0, len(member) - 1)))) for member in weights]
    members = [m for m, kept in enumerate(rows) if kept]
    whole = filled(weights, blocks, students)
    bank = Bank(weights, blocks, students[:, 0])
    for block in blocks[:cut]:
        bank.absorb_(block, students[:, block.start : block.stop])
    bank.keep([rows[m] for m in members], members)
    for block in blocks[cut:]:
        bank.absorb_(block, students[members, block.start : block.stop])
    expected = [whole.averages[m, r] for m in members for r in rows[m]]
    assert len(bank.alive()) == len(expected)
    assert all(same(a, b) for a, b in zip(bank.alive(), expected, strict=True))


def test_members_may_have_other_numbers_of_averages_or_none():
    blocks, students = [range(4), range(4, 7)], students_of(4, 7)
    students[3, 5, 2] = torch.nan
    ema, copies = np.array([1, *[0.25] * 6]), np.ones(7)
    bank = filled([[], [ema] * 9 + [copies], [copies], [ema]], blocks, students)
    assert bank.counts == [0, 10, 1, 1] and bank.averages.shape == (4, 10, P)
    each = bank.alive().clone()
    assert same(each[0], each[8]) and torch.equal(each[9], students[1, -1])
    bank.keep([[1], [0]], [1, 3])
    assert bank.averages.shape == (2, 1, P) and same(bank.alive(), each[[1, 11]])
    bank.keep([[0], [0]], [0, 1])
    assert same(bank.alive(), each[[1, 11]])
    bank.keep([], [])
    assert len(bank.alive()) == 0


def test_a_bank_where_nothing_is_followed_is_empty_and_stays_so():
    bank = filled([[], []], [range(3)], students_of(2, 3))
    bank.keep([[]], [1])
    bank.absorb_(range(3), students_of(1, 3))
    assert bank.averages.shape == (1, 0, P) and bank.alive().shape == (0, P)


@settings(max_examples=40, deadline=None)
@given(
    both=st.integers(2, 40).flatmap(lambda steps: st.tuples(tables(steps), tables(steps))),
    bad=st.integers(0, 39),
)
def test_teachers_equal_taking_in_each_student_by_itself(both, bad):
    table = np.stack(both)
    students = students_of(*table.shape)
    students[:, bad % table.shape[1], 5] = torch.nan
    teachers = torch.zeros(2, P)
    for step, w in enumerate(torch.from_numpy(table).float().T):
        absorb_(teachers, students[:, step], w.unsqueeze(1), table[:, step])
    slow = np.stack([follow(t, s.numpy()) for t, s in zip(table, students, strict=True)])
    np.testing.assert_array_equal(teachers.isnan().numpy(), np.isnan(slow))
    close(teachers, slow, students)
