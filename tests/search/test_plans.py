"""The fold: what costs a process, what a slice of a cohort, what only a slice of a bank."""

from __future__ import annotations

from itertools import count, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.plans import Candidate, fold, most_that_fit
from spaces.schedules.constant import Constant
from trainables.averagers.ema import Ema
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

WIDTHS, LRS, MOMENTA = [64, 128], [0.01, 0.1, 1.0], [0.9, 0.99, 0.999, 0.9999]


def ema(m):
    return Ema(momentum=Constant(value=m))


def recipe(width, lr, strategy):
    return Recipe(
        model=Mlp(hidden=(width,)), optimizer=Sgd(lr=Constant(value=lr)), strategy=strategy
    )


def candidates(strategy_of):
    numbers = count()
    return [
        Candidate(next(numbers), recipe(w, lr, strategy_of(m)), ema(m))
        for w, lr, m in product(WIDTHS, LRS, MOMENTA)
    ]


OPEN = candidates(lambda m: Finetune())
CLOSED = candidates(lambda m: MeanTeacher(teacher=ema(m)))


def sizes(crews):
    return [[len(member) for member in crew] for crew in crews]


def test_an_average_nobody_listens_to_costs_no_student():
    assert sizes(fold(OPEN, most_members=8)) == [[4, 4, 4], [4, 4, 4]]


def test_a_teacher_costs_a_student_of_its_own():
    assert sizes(fold(CLOSED, most_members=8)) == [[1] * 6] * 4


@pytest.mark.parametrize("pool", [OPEN, CLOSED], ids=["open", "closed"])
@settings(deadline=None)
@given(data=st.data(), most=st.integers(1, 30))
def test_every_candidate_has_one_seat_beside_its_equals(pool, data, most):
    drawn = data.draw(st.lists(st.sampled_from(pool), unique=True))
    crews = fold(drawn, most_members=most)
    by_number = {c.number: c for c in drawn}
    assert sorted(n for crew in crews for member in crew for n in member) == sorted(by_number)
    for crew in crews:
        assert len(crew) <= most
        assert len({by_number[m[0]].recipe.model for m in crew}) == 1
        for member in crew:
            assert len({by_number[n].recipe for n in member}) == 1


@pytest.mark.parametrize("pool", [OPEN, CLOSED], ids=["open", "closed"])
@settings(deadline=None)
@given(data=st.data(), most=st.integers(1, 30), room=st.integers(1, 40))
def test_no_crew_is_larger_than_fits(pool, data, most, room):
    """``room`` for so many averages, whichever the program."""
    drawn = data.draw(st.lists(st.sampled_from(pool), unique=True))
    crews = fold(drawn, most_members=most, fits=lambda _, members, each: members * each <= room)
    assert sorted(n for crew in crews for m in crew for n in m) == sorted(c.number for c in drawn)
    for crew in crews:
        assert len(crew) <= most
        assert len(crew) == 1 or len(crew) * max(map(len, crew)) <= room


@settings(deadline=None)
@given(most=st.integers(1, 30), room=st.integers(0, 40))
def test_the_most_that_fit_are_found(most, room):
    found = most_that_fit(OPEN[0].recipe, 1, most, lambda _, members, each: members * each <= room)
    assert found == max(1, min(most, room))


def test_a_job_has_room_for_the_rows_of_the_averagers_that_take_most():
    asked = []

    def fits(recipe, members, averages):
        asked.append(averages)
        return members * averages <= 12

    crews = fold(OPEN, most_members=8, fits=fits, rows=lambda averager: 1 + (averager == ema(0.9)))
    assert set(asked) == {5}
    assert sizes(crews) == [[4], [4, 4]] * 2
