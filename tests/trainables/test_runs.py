"""A run yields what was measured and goes on with those it is told to keep."""

from __future__ import annotations

import pytest

from spaces.schedules.constant import Constant
from trainables import runs
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs

STREAM = Blobs(steps=10).stream()
AVERAGERS = (Student(), Ema(momentum=Constant(value=0.5)))


def member(lr):
    recipe = Recipe(model=Mlp(hidden=(4,)), optimizer=Sgd(lr=Constant(value=lr)))
    return Member(recipe, AVERAGERS)


def driven(cohort, verdict):
    """What each milestone yields when ``verdict`` says whom to keep of its records."""
    running, seen = run(cohort, STREAM), []
    try:
        records = next(running)
        while True:
            seen.append(records)
            records = running.send(verdict(records))
    except StopIteration:
        return seen


def test_everyone_is_kept_unless_it_is_said_otherwise():
    cohort = Cohort([member(0.01), member(0.1)], STREAM, seed=0)
    seen = driven(cohort, lambda records: None)
    assert [[r.seat for r in records] for records in seen] == [[0, 1, 2, 3]] * 3
    assert [[(r.task, r.step, len(r.accuracy)) for r in rs[:1]] for rs in seen] == [
        [(0, 10, 1)],
        [(1, 20, 2)],
        [(2, 30, 3)],
    ]
    assert all(r.seconds > 0 and r.failed is None for rs in seen for r in rs)


def test_what_is_paid_for_is_all_but_the_time_that_others_take(monkeypatch):
    """On a clock that moves by 1 whenever it is read, and by 100 while somebody else is at work."""
    now = [50.0]

    def read():
        now[0] += 1
        return now[0]

    monkeypatch.setattr(runs, "perf_counter", read)
    cohort = Cohort([member(0.01), member(0.1)], STREAM, seed=0)
    for records in run(cohort, STREAM, since=40.0):
        due = 51.0 - 40 if records[0].task == 0 else 1.0
        assert [r.seconds for r in records] == [due / 4] * 4
        now[0] += 100


def test_dropping_seats_does_not_change_the_others():
    whole = driven(Cohort([member(0.01), member(0.1)], STREAM, seed=0), lambda records: None)
    pruned = driven(Cohort([member(0.01), member(0.1)], STREAM, seed=0), lambda records: [1, 2])
    assert [[r.seat for r in records] for records in pruned] == [[0, 1, 2, 3], [1, 2], [1, 2]]
    for task, records in enumerate(pruned):
        for r in records:
            assert r.accuracy == whole[task][r.seat].accuracy


def test_it_ends_when_nobody_is_kept():
    assert len(driven(Cohort([member(0.1)], STREAM, seed=0), lambda records: [])) == 1


def test_a_seat_that_fails_is_reported_once_and_cannot_be_kept():
    cohort = Cohort([member(1e30), member(0.1)], STREAM, seed=0)
    seen = driven(cohort, lambda records: [r.seat for r in records])
    assert [[r.seat for r in records] for records in seen] == [[0, 1, 2, 3], [2, 3], [2, 3]]
    for r in seen[0]:
        assert (r.failed is not None) == (r.seat < 2) == (r.accuracy == ())
    assert seen[0][0].failed == "diverged: not finite after task 0"


def test_a_caller_may_drop_seats_itself():
    cohort, seen = Cohort([member(0.01), member(0.1)], STREAM, seed=0), []
    for records in run(cohort, STREAM):
        seen.append([r.seat for r in records])
        cohort.keep(cohort.seats[1:])
    assert seen == [[0, 1, 2, 3], [1, 2, 3], [2, 3]]


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_cohort_that_has_done_some_tasks_goes_on_from_there(done):
    cohort = Cohort([member(0.1)], STREAM, seed=0)
    for _ in range(done):
        cohort.train_task()
    assert [records[0].task for records in driven(cohort, lambda _: None)] == [0, 1, 2][done:]
