"""Snapshots of a cohort: what is in them, on disk, alone or in company, cut or whole."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.clock import Clock
from spaces.schedules.constant import Constant
from spaces.specs import SpecError, load
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.cohort import Cohort, Member
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.snapshots import Album, Keeper, Snapshots, file_of, read

STREAM = Blobs(tasks=3, steps=30).stream()
SPEC = Snapshots(every=7, gammas=(0.0, 1.0, 2.5))
AVERAGERS = (Ema(momentum=Constant(value=0.9)), Student())


@st.composite
def clocks(draw):
    lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    edges = np.cumsum([0, *lengths])
    return Clock(steps=int(edges[-1]), task_starts=tuple(map(int, edges[:-1])))


SPECS = st.builds(
    Snapshots,
    every=st.integers(1, 40),
    gammas=st.lists(st.floats(0, 20), min_size=1, max_size=4, unique=True).map(tuple),
)


def members(*lrs):
    recipes = [Recipe(model=Mlp(hidden=(6,)), optimizer=Sgd(lr=Constant(value=lr))) for lr in lrs]
    return [Member(recipe, AVERAGERS) for recipe in recipes]


def trained(folder, crew, *, tasks=3, dropped=None, state=None):
    """Trains a cohort with a keeper; ``dropped``: after which task only the last member goes on."""
    keeper = Keeper(Album(SPEC, folder), STREAM.clock)
    cohort = Cohort(crew, STREAM, seed=0, observe=keeper.observe)
    if state is not None:
        cohort.load_state_dict(state)
    while cohort.task < tasks:
        cohort.train_task()
        keeper.save(cohort)
        if cohort.task == dropped:
            cohort.keep(cohort.seats[-2:])
    return cohort


def students_of(crew):
    """Every student of every step. [M, steps, P]."""
    seen = []
    cohort = Cohort(crew, STREAM, seed=0, observe=lambda _, s: seen.append(s.clone()))
    for _ in range(STREAM.clock.task_count):
        cohort.train_task()
    return torch.cat(seen, dim=1)


@settings(max_examples=60, deadline=None)
@given(spec=SPECS, clock=clocks())
def test_intervals_cover_each_task_once_and_the_first_student_is_alone(spec, clock):
    tasks = spec.intervals(clock)
    steps = list(chain(*(interval.steps for task in tasks for interval in task)))
    assert steps == list(range(clock.steps))
    assert list(tasks[0][0].steps) == [0]
    for task, end in zip(tasks, clock.task_ends, strict=True):
        assert task[-1].steps.stop == end
        assert all(len(i.steps) <= spec.every for i in task)
        rows = list(chain(*(range(i.rows.start, i.rows.stop) for i in task)))
        assert rows == list(range(len(rows)))
    assert spec.rows(clock) == list(map(len, spec.profiles(clock)))


@settings(max_examples=60, deadline=None)
@given(spec=SPECS, clock=clocks())
def test_profiles_are_shares_that_sum_to_one(spec, clock):
    for rows, task in zip(spec.profiles(clock), clock.tasks(), strict=True):
        assert rows.shape[1] == task.steps
        assert (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_they_are_what_their_profiles_say_of_the_students(tmp_path):
    crew = members(0.05, 0.2)
    trained(tmp_path, crew)
    students = students_of(crew).double().numpy()
    clock, profiles = STREAM.clock, SPEC.profiles(STREAM.clock)
    for member in range(2):
        edges = zip(clock.task_starts, clock.task_ends, strict=True)
        for task, (start, end) in enumerate(edges):
            kept = read(tmp_path, member, task)
            assert kept.snapshots.dtype == torch.float32
            expected = profiles[task] @ students[member, start:end]
            largest = np.abs(students[member]).max()
            np.testing.assert_allclose(kept.snapshots, expected, rtol=0, atol=1e-5 * largest)


def test_one_average_as_it_was_is_kept_to_measure_by(tmp_path):
    cohort = trained(tmp_path, members(0.05, 0.2), dropped=2)
    kept = read(tmp_path, 1, 2)
    assert kept.seat == cohort.seats[0] == 2
    assert torch.equal(kept.average, cohort.averages[0])


def files_in(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.pt")}


def test_a_member_s_files_are_the_same_bytes_alone_and_in_company(tmp_path):
    trained(tmp_path / "together", members(0.05, 0.1, 0.2), dropped=1)
    trained(tmp_path / "alone", members(0.2))
    together, alone = files_in(tmp_path / "together"), files_in(tmp_path / "alone")
    for task in range(3):
        mine = read(tmp_path / "alone", 0, task)
        theirs = read(tmp_path / "together", 2, task)
        assert torch.equal(mine.snapshots, theirs.snapshots)
        assert torch.equal(mine.average, theirs.average)
    assert len(together) == 3 + 2
    assert len(alone) == 3


def test_resumed_it_writes_the_same_bytes_again(tmp_path):
    crew = members(0.05, 0.2)
    trained(tmp_path / "whole", crew)
    state = trained(tmp_path / "cut", crew, tasks=1).state_dict()
    trained(tmp_path / "cut", crew, tasks=2)  # killed before it was saved
    trained(tmp_path / "cut", crew, state=state)
    assert files_in(tmp_path / "cut") == files_in(tmp_path / "whole")


def test_a_student_that_diverges_spoils_no_snapshot_before(tmp_path):
    keeper = Keeper(Album(Snapshots(every=10), tmp_path), Clock(steps=30))
    students = torch.randn(1, 30, 16, generator=torch.Generator().manual_seed(0))
    students[0, 15:] = torch.nan
    keeper.observe(range(25), students[:, :25])
    keeper.observe(range(25, 30), students[:, 25:])
    finite = keeper._rows.isfinite().all(-1)[0].tolist()
    assert finite == [True] * 4 + [False] * 6


def test_what_was_not_kept_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path, 0, 0)
    assert not file_of(tmp_path, 0, 0).parent.exists()


@pytest.mark.parametrize(
    "said", [{"every": 0}, {"gammas": []}, {"gammas": [-1.0]}, {"gammas": [1.0, 1.0]}]
)
def test_what_could_not_be_kept_is_refused(said):
    with pytest.raises(SpecError):
        load(Snapshots, said, lines={}, source="study.yaml")
