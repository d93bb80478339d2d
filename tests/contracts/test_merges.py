"""The laws that every merge keeps, and each merge against dictionaries of tensors.

That it trains a member as it would alone: test_cohorts.py.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from tests.contracts.cases import specs_of
from tests.oracles import merging
from trainables.merges import Merge
from trainables.merges.base import Boundary
from trainables.merges.fisher import Fisher
from trainables.merges.interpolation import Interpolation
from trainables.merges.magmax import Magmax
from trainables.merges.mean import Mean
from trainables.merges.mode import Mode
from trainables.merges.task_arithmetic import TaskArithmetic
from trainables.merges.ties import Ties
from trainables.models.mlp import Mlp
from trainables.stacks import layout_of
from trainables.tables import tables

LAYOUT = layout_of(Mlp(hidden=(7,)).network((5,), 4))
MEMBERS, CLOCK = 3, Clock(steps=3, task_starts=(0, 1, 2))
NONE = torch.zeros(4, dtype=torch.bool)

each_kind = pytest.mark.parametrize("kind", Merge.kinds.values(), ids=Merge.kinds)


def boundary(merge, task=2, moves=1.0, old=NONE, new=NONE):
    rng = torch.Generator().manual_seed(task)
    size = sum(LAYOUT.sizes)

    def stack(*shape):
        return torch.nn.functional.pad(
            torch.randn(*shape, size, generator=rng), (0, LAYOUT.width - size)
        )

    initial = stack(MEMBERS)
    ends = initial.unsqueeze(1) + moves * stack(MEMBERS, task + 1)
    fishers = 1e-4 * stack(MEMBERS, task + 1).square()
    fishers[:, :, ::5] = 0
    now = {n: torch.full((MEMBERS, 1), float(t[task])) for n, t in tables(merge, CLOCK).items()}
    return Boundary(
        task=task,
        student=ends[:, -1],
        start=initial + moves * stack(MEMBERS),
        initial=initial,
        ends=ends,
        fisher=torch.square,
        fishers=fishers,
        now=now,
        layout=LAYOUT,
        old=old,
        new=new,
    )


def of_member(at, m):
    one = slice(m, m + 1)
    stacks = ("student", "start", "initial", "ends", "fishers")
    now = {n: v[one] for n, v in at.now.items()}
    return at._replace(now=now, **{n: getattr(at, n)[one] for n in stacks})


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data(), task=st.integers(0, 2))
def test_finite_and_each_row_as_it_would_be_alone(kind, data, task):
    merge = data.draw(specs_of(kind))
    at = boundary(merge, task)
    merged = merge.merged(at)
    assert merged.shape == at.student.shape and merged.isfinite().all()
    for m in range(MEMBERS):
        assert torch.equal(merge.merged(of_member(at, m))[0], merged[m])


@each_kind
@settings(max_examples=20, deadline=None)
@given(data=st.data(), task=st.integers(0, 2))
def test_who_never_moved_stays(kind, data, task):
    merge = data.draw(specs_of(kind))
    at = boundary(merge, task, moves=0.0)
    torch.testing.assert_close(merge.merged(at), at.initial)


def dictionary(row):
    return {n: v.double() for n, v in LAYOUT.views(row).items()}


def same(merge, oracle, **given):
    at = boundary(merge, **given)
    for m, row in enumerate(merge.merged(at)):
        for name, expected in oracle(of_member(at, m)).items():
            torch.testing.assert_close(
                LAYOUT.views(row)[name], expected.float(), rtol=1e-5, atol=1e-6
            )


def initial_of(at):
    return dictionary(at.initial[0])


def ends_of(at):
    return [dictionary(end) for end in at.ends[0]]


def both(at):
    return dictionary(at.start[0]), dictionary(at.student[0])


def fishers_of(at):
    return [dictionary(fisher) for fisher in at.fishers[0]]


def test_interpolation_since_the_task_is_coma():
    merge = Interpolation(share=Constant(value=0.4))
    same(merge, lambda at: merging.interpolated(*both(at), 0.4))


def test_interpolation_since_the_stream_is_wise_ft():
    merge = Interpolation(share=Constant(value=0.7), since="stream")
    same(merge, lambda at: merging.interpolated(initial_of(at), both(at)[1], 0.7))


def test_interpolation_leaves_the_first_task_alone_unless_told():
    at = boundary(Interpolation(), task=0)
    assert torch.equal(Interpolation().merged(at), at.student)
    same(Interpolation(from_task=0), lambda a: merging.interpolated(*both(a), 0.5), task=0)


@pytest.mark.parametrize("task", [0, 2])
def test_task_arithmetic(task):
    merge = TaskArithmetic(scale=Constant(value=0.3))
    same(merge, lambda at: merging.task_arithmetic(initial_of(at), ends_of(at), 0.3), task=task)


@pytest.mark.parametrize("task", [0, 2])
def test_magmax(task):
    merge = Magmax(scale=Constant(value=0.5))
    same(merge, lambda at: merging.magmax(initial_of(at), ends_of(at), 0.5), task=task)


def test_magmax_takes_the_later_of_equal_sizes():
    at = boundary(Magmax(scale=Constant(value=1.0)), task=1)
    step = at.ends[:, 1] - at.initial
    at = at._replace(initial=torch.zeros_like(step), ends=torch.stack([-step, step], 1))
    assert torch.equal(Magmax(scale=Constant(value=1.0)).merged(at), step)


@pytest.mark.parametrize("density", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("task", [0, 2])
def test_ties(density, task):
    merge = Ties(density=Constant(value=density), scale=Constant(value=0.8))
    same(merge, lambda at: merging.ties(initial_of(at), ends_of(at), density, 0.8), task=task)


def test_mean_of_tasks():
    same(Mean(), lambda at: merging.mean(ends_of(at)))


def test_mode_of_tasks_is_their_mean_where_none_cares():
    same(Mode(floor=1e-12), lambda at: merging.mode(ends_of(at), floored(at)))


def floored(at):
    return [{n: f + 1e-12 for n, f in one.items()} for one in fishers_of(at)]


def test_fisher_is_cofima():
    merge = Fisher(share=Constant(value=0.4))
    same(merge, lambda at: merging.cofima(*both(at), fishers_of(at)[-2:], 0.4, 1e-4))


def test_fisher_takes_the_rows_of_new_classes_from_the_student():
    old, new = torch.tensor([True, True, False, False]), torch.tensor([False, True, True, False])

    def oracle(at):
        out = merging.cofima(*both(at), fishers_of(at)[-2:], 0.5, 1e-4)
        for name in list(out)[-2:]:
            out[name][2] = both(at)[1][name][2]
        return out

    same(Fisher(), oracle, old=old, new=new)
