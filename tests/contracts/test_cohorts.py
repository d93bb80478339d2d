"""What every strategy and optimizer keeps to in a cohort: to the last bit as if alone.

A new strategy, optimizer or averager is put to these laws by being registered.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from tests.contracts.cases import alike, specs_of
from trainables.alignment import Alignment
from trainables.averagers import Averager
from trainables.bank import BLOCK
from trainables.branches import Branch
from trainables.cohort import Cohort, Member
from trainables.gates import Gate
from trainables.importances import Importance
from trainables.memories import Memory
from trainables.merges import Merge
from trainables.models.mlp import Mlp
from trainables.moulds import Mould
from trainables.optimizers import Optimizer
from trainables.optimizers.sgd import Sgd
from trainables.pulls import Pull
from trainables.recipes import Recipe
from trainables.refreshing import Refreshing
from trainables.scenarios.blobs import Blobs
from trainables.strategies import Strategy
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher
from trainables.terms import Term
from trainables.terms.logits import Logits
from trainables.terms.quadratic import Quadratic
from trainables.terms.replay import Replay

STREAM = Blobs(tasks=3, steps=BLOCK + 5, dims=6, train=40, validation=24).stream()
MODEL = Mlp(hidden=(20,))

FAMILIES = (Term, Memory, Importance, Pull, Merge, Gate, Branch)
PARTS = {f"{f.__name__.lower()}-{n}": kind for f in FAMILIES for n, kind in f.kinds.items()}
PARTS |= {f"teacher-{n}": kind for n, kind in Averager.kinds.items() if kind.live}
FOLLOWED = [kind for kind in Averager.kinds.values() if kind.followed]
PARTS |= {"refreshing": Refreshing, "alignment": Alignment}
pytestmark = pytest.mark.usefixtures("threads")

each_part = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
PAIRS = [(kind, Sgd) for kind in Strategy.kinds.values()]
PAIRS += [(Finetune, kind) for kind in Optimizer.kinds.values() if kind is not Sgd]
each_strategy = pytest.mark.parametrize("strategy", Strategy.kinds.values(), ids=Strategy.kinds)
each_pair = pytest.mark.parametrize(
    "strategy, optimizer", PAIRS, ids=[f"{a.__name__}-{b.__name__}".lower() for a, b in PAIRS]
)


def some(examples):
    """So many examples, others at every run.

    One that fails is not made smaller, which would train cohorts for minutes.
    """
    generate = (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(
        max_examples=examples,
        deadline=None,
        phases=generate,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )


@pytest.fixture(autouse=True)
def _moulds_are_checked(monkeypatch):
    """Every program that is cast of a mould is the very one that would have been traced."""

    def checked(mould, arguments, trace):
        traced = []
        made = of(mould, arguments, lambda: traced.append(trace()) or traced[0])
        if not traced:
            assert str(made.graph) == str(trace().graph)
        return made

    of = Mould.of
    monkeypatch.setattr(Mould, "of", checked)


@pytest.fixture(autouse=True)
def _the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state())


@st.composite
def recipes(draw, strategy, optimizer, part):
    """Any recipe with an instance of ``part``, one kind of one family, in it."""
    terms = draw(_terms(part))
    learns = draw(specs_of(strategy))
    if part in Averager.kinds.values():
        learns = MeanTeacher(teacher=draw(specs_of(part)))
    if terms:
        learns = dataclasses.replace(learns, terms=terms)
    pulls = [draw(specs_of(part))] if part in Pull.kinds.values() else []
    return Recipe(
        model=MODEL,
        strategy=learns,
        optimizer=draw(specs_of(optimizer)),
        batch=5,
        memory=draw(_any(Memory, part)) if "replay" in learns.needs() else None,
        pulls=(*pulls, *draw(st.lists(_any(Pull, None), max_size=1))),
        merge=draw(_any(Merge, part)) if part in Merge.kinds.values() else None,
        refresh=draw(specs_of(part)) if part is Refreshing else None,
        alignment=draw(specs_of(part)) if part is Alignment else None,
        branch=draw(specs_of(part)) if part in Branch.kinds.values() else None,
        gate=draw(_any(Gate, part)) if part in Gate.kinds.values() else None,
        body_rate=draw(_body_rates()),
        optimizer_at_task=draw(st.sampled_from(["keep", "reset"])),
    )


def _body_rates():
    return st.sampled_from([1.0, 0.5]).map(lambda rate: Constant(value=rate))


def _any(family, part):
    """An instance of ``part`` if it is one of the family's kinds, or else of any."""
    kinds = [part] if part in family.kinds.values() else list(family.kinds.values())
    return st.one_of(*map(specs_of, kinds))


@st.composite
def _terms(draw, part):
    if part in Term.kinds.values():
        return (draw(specs_of(part)),)
    if part in Importance.kinds.values():
        return (Quadratic(importance=draw(specs_of(part))),)
    return (Logits(), Replay()) if part in Memory.kinds.values() else ()


@st.composite
def members(draw, strategy=Finetune, optimizer=Sgd, part=None):
    """Up to four members of one program, their schedules, averagers and pulls drawn each."""
    first = draw(recipes(strategy, optimizer, part))
    more = draw(st.lists(alike(first, (Schedule, Averager, Pull, Branch)), max_size=3))
    averagers = st.lists(st.one_of(*map(specs_of, FOLLOWED)), min_size=1, max_size=2).map(tuple)
    return [Member(recipe, draw(averagers)) for recipe in (first, *more)]


def same(a, b):
    return torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def trained(members, tasks=3, seed=0):
    cohort = Cohort(members, STREAM, seed=seed)
    for _ in range(tasks):
        cohort.train_task()
    return cohort


def of_seats(members):
    return [Member(m.recipe, (a,)) for m in members for a in m.averagers]


@each_pair
@some(3)
@given(data=st.data(), cut=st.integers(0, 3))
def test_pruned_and_resumed_each_seat_is_as_it_would_be_alone(strategy, optimizer, data, cut):
    each_is_as_alone(data.draw(members(strategy, optimizer)), data, cut)


@each_part
@some(3)
@given(data=st.data(), cut=st.integers(1, 2))
def test_with_any_part_each_seat_is_as_it_would_be_alone(part, data, cut):
    each_is_as_alone(data.draw(members(part=part)), data, cut)


def each_is_as_alone(drawn, data, cut):
    """Whoever is dropped at the ends of tasks, and wherever the rest are cut and resumed."""
    cohort, resumed = Cohort(drawn, STREAM, seed=1), Cohort(drawn, STREAM, seed=1)
    alone = {i: Cohort([m], STREAM, seed=1) for i, m in enumerate(of_seats(drawn))}
    for task in range(3):
        if task == cut:
            resumed.load_state_dict(cohort.state_dict())
        cohort.train_task()
        accuracy = cohort.evaluate(STREAM.validation[: task + 1])
        for i, seat in enumerate(cohort.seats):
            alone[seat].train_task()
            assert same(cohort.averages[i], alone[seat].averages[0])
            row = sorted(set(cohort.owners)).index(cohort.owners[i])
            assert same(cohort.deployed[row], alone[seat].deployed[0])
            assert same(accuracy[i], alone[seat].evaluate(STREAM.validation[: task + 1])[0])
        cohort.keep(data.draw(st.sets(st.sampled_from(cohort.seats), min_size=1)))
        if task >= cut:
            resumed.train_task()
            resumed.keep(cohort.seats)
    if cut == 3:
        resumed.load_state_dict(cohort.state_dict())
    assert resumed.seats == cohort.seats
    assert same(resumed.averages, cohort.averages) and same(resumed.students, cohort.students)
    assert same(resumed.deployed, cohort.deployed)


@each_strategy
@some(2)
@given(data=st.data())
def test_members_may_stand_in_any_order(strategy, data):
    drawn = data.draw(members(strategy))
    order = data.draw(st.permutations(range(len(drawn))))
    forth, back = trained(drawn, tasks=1), trained([drawn[i] for i in order], tasks=1)
    assert same(forth.students[order], back.students)
