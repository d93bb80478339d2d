"""What every strategy and optimizer keeps to in a cohort: to the last bit as if alone.

A new strategy, optimizer or averager is put to these laws by being registered.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.cases import specs_of
from trainables.averagers import Averager
from trainables.bank import BLOCK
from trainables.cohort import Cohort, Member
from trainables.models.mlp import Mlp
from trainables.optimizers import Optimizer
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.strategies import Strategy

STREAM = Blobs(tasks=3, steps=BLOCK + 5, dims=6, train=40, validation=24).stream()
MODEL = Mlp(hidden=(20,))

each_strategy = pytest.mark.parametrize("strategy", Strategy.kinds.values(), ids=Strategy.kinds)
each_optimizer = pytest.mark.parametrize("optimizer", Optimizer.kinds.values(), ids=Optimizer.kinds)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@st.composite
def members(draw, strategy, optimizer, most=4):
    averagers = st.lists(st.one_of(*map(specs_of, Averager.kinds.values())), min_size=1, max_size=3)
    recipes = st.builds(
        Recipe,
        model=st.just(MODEL),
        strategy=specs_of(strategy),
        optimizer=specs_of(optimizer),
        batch=st.just(5),
    )
    member = st.builds(Member, recipe=recipes, averagers=averagers.map(tuple))
    return draw(st.lists(member, min_size=1, max_size=most))


def same(a, b):
    return torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def trained(members, tasks=3, seed=0):
    cohort = Cohort(members, STREAM, seed=seed)
    for _ in range(tasks):
        cohort.train_task()
    return cohort


def of_seats(members):
    return [Member(m.recipe, (a,)) for m in members for a in m.averagers]


@each_strategy
@each_optimizer
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_each_seat_under_any_pruning_is_as_it_would_be_alone(strategy, optimizer, data):
    drawn = data.draw(members(strategy, optimizer))
    cohort = Cohort(drawn, STREAM, seed=1)
    alone = {i: Cohort([m], STREAM, seed=1) for i, m in enumerate(of_seats(drawn))}
    for task in range(3):
        cohort.train_task()
        accuracy = cohort.evaluate(STREAM.validation[: task + 1])
        for i, seat in enumerate(cohort.seats):
            alone[seat].train_task()
            assert same(cohort.averages[i], alone[seat].averages[0])
            assert same(accuracy[i], alone[seat].evaluate(STREAM.validation[: task + 1])[0])
        cohort.keep(data.draw(st.sets(st.sampled_from(cohort.seats), min_size=1)))


@each_strategy
@each_optimizer
@settings(max_examples=4, deadline=None)
@given(data=st.data(), cut=st.integers(0, 3))
def test_cut_and_resumed_it_ends_as_if_never_cut(strategy, optimizer, data, cut):
    drawn = data.draw(members(strategy, optimizer))
    whole = Cohort(drawn, STREAM, seed=2)
    resumed = Cohort(drawn, STREAM, seed=2)
    for task in range(3):
        if task == cut:
            resumed.load_state_dict(whole.state_dict())
        whole.train_task()
        whole.keep(data.draw(st.sets(st.sampled_from(whole.seats), min_size=1)))
        if task >= cut:
            resumed.train_task()
            resumed.keep(whole.seats)
    if cut == 3:
        resumed.load_state_dict(whole.state_dict())
    assert resumed.seats == whole.seats
    assert same(resumed.averages, whole.averages) and same(resumed.students, whole.students)


@each_strategy
@each_optimizer
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_members_may_stand_in_any_order(strategy, optimizer, data):
    drawn = data.draw(members(strategy, optimizer))
    order = data.draw(st.permutations(range(len(drawn))))
    forth, back = trained(drawn, tasks=1), trained([drawn[i] for i in order], tasks=1)
    assert same(forth.students[order], back.students)


@each_strategy
@each_optimizer
def test_the_global_random_state_is_left_alone(strategy, optimizer):
    before = torch.get_rng_state()
    trained([Member(Recipe(model=MODEL, strategy=strategy()), (Averager.kinds["student"](),))])
    assert torch.equal(before, torch.get_rng_state())
