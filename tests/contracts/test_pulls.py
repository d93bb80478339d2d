"""The laws that every pull keeps. That it trains a member as it would alone: test_cohorts.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from tests.contracts.tables import assert_made_anew
from trainables.averagers.lawa import Lawa
from trainables.bank import absorb_
from trainables.pulls import Pull
from trainables.pulls.sfa import Sfa

CLOCKS = st.sampled_from(
    [Clock(steps=1), Clock(steps=7), Clock(steps=31, task_starts=(0, 10, 11, 20))]
)

each_kind = pytest.mark.parametrize("kind", Pull.kinds.values(), ids=Pull.kinds)


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data(), clock=CLOCKS)
def test_tables_are_shares(kind, data, clock):
    pull = data.draw(specs_of(kind))
    b, opening = pull.table(clock), pull.opening(clock)
    assert b.shape == (clock.steps,) and opening.shape == (clock.task_count,)
    assert b.dtype == opening.dtype == np.float64
    assert ((b >= 0) & (b <= 1)).all() and ((opening >= 0) & (opening <= 1)).all()
    assert opening[0] == 0


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data(), clock=CLOCKS)
def test_the_same_every_time_it_is_asked_in_an_array_of_its_own(kind, data, clock):
    assert_made_anew(data.draw(specs_of(kind)).table, clock)


def test_no_share_leaves_a_student_alone_and_a_whole_one_makes_it_the_target():
    students = torch.tensor([[0.1, 0.2], [float("nan"), 1.0], [3.0, 4.0]])
    target, b = torch.full((3, 2), float("inf")), np.array([0.0, 0.0, 1.0])
    pulled = students.clone()
    absorb_(pulled, target, torch.from_numpy(b).float().unsqueeze(1), b)
    expected = torch.stack([students[0], students[1], target[2]])
    assert torch.allclose(pulled, expected, rtol=0, atol=0, equal_nan=True)


@each_kind
def test_a_target_that_is_known_at_the_ends_of_tasks_only_is_refused(kind):
    with pytest.raises(ValueError, match="toward: a lawa is known at the ends of tasks only"):
        kind(toward=Lawa())


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.6, 1.0])
def test_sfa_merges_as_its_loop_says(share):
    clock = Clock(steps=31, task_starts=(0, 10, 11, 20))
    expected = []
    for task, n in enumerate([10, 1, 9, 11]):
        for s in range(1, n + 1):
            merge = task > 0 and (s % max(1, round(share * n)) == 0 or s == n)
            expected.append(0.3 if merge else 0.0)
    np.testing.assert_array_equal(Sfa(beta=Constant(value=0.3), share=share).table(clock), expected)
