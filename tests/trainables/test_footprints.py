"""What a plan says of memory is what a cohort takes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from torch import Tensor, nn

from spaces.schedules.constant import Constant
from trainables.averagers.by_gradient_noise import ByGradientNoise
from trainables.averagers.ema import Ema
from trainables.averagers.lawa import Lawa
from trainables.averagers.merged import Merged
from trainables.cohort import Cohort, Member
from trainables.footprints import footprint, parameters, rows, width
from trainables.memories.reservoir import Reservoir
from trainables.merges.fisher import Fisher
from trainables.merges.interpolation import Interpolation
from trainables.merges.ties import Ties
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.scenarios.split_digits import SplitDigits
from trainables.strategies.mean_teacher import MeanTeacher
from trainables.strategies.replay import Replay
from trainables.terms.logits import Logits
from trainables.twins import twins

REHEARSED = Recipe(
    model=Mlp(hidden=(16,)),
    memory=Reservoir(size=500),
    strategy=Replay(terms=(Logits(),)),
)


def arrays(thing, seen):
    """Every tensor and array that ``thing`` leads to, through objects of ours and containers."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, Tensor | np.ndarray):
        yield thing
    for inner in inside(thing):
        yield from arrays(inner, seen)


def inside(thing):
    if isinstance(thing, nn.Module):
        return thing.parameters()
    if isinstance(thing, dict):
        return thing.values()
    if isinstance(thing, list | tuple):
        return thing
    if is_dataclass(thing):
        return (getattr(thing, field.name) for field in fields(thing))
    ours = type(thing).__module__.startswith("trainables")
    return vars(thing).values() if ours else ()


def storage(array):
    """Where the memory begins that ``array`` is a view of, and its bytes."""
    if isinstance(array, Tensor):
        memory = array.untyped_storage()
        return memory.data_ptr(), memory.nbytes()
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.ctypes.data, array.nbytes


def held(cohort):
    return sum(dict(map(storage, arrays(cohort, {}))).values())


@pytest.mark.parametrize("members,averages", [(1, 1), (4, 8), (16, 3)])
@pytest.mark.parametrize(
    "recipe,scenario",
    [
        (Recipe(), RotatedDigits(steps=30)),
        (Recipe(model=Mlp(hidden=(64,)), strategy=MeanTeacher()), SplitDigits(steps=75)),
        (Recipe(model=Cnn(), optimizer=Adamw(lr=Constant(value=0.01))), SplitDigits(steps=20)),
        (Recipe(model=Mlp(hidden=(256, 256))), Blobs(steps=60)),
        (REHEARSED, SplitDigits(steps=75)),
        (Recipe(strategy=MeanTeacher(teacher=ByGradientNoise())), SplitDigits(steps=20)),
    ],
    ids=["digits", "teacher", "cnn", "blobs", "rehearsed", "live"],
)
def test_footprint_is_what_a_cohort_holds_within_a_tenth(recipe, scenario, members, averages):
    stream = scenario.stream()
    crew = [Member(recipe, tuple(Ema(momentum=Constant(value=0.9)) for _ in range(averages)))]
    holds = held(Cohort(crew * members, stream, seed=0))
    assert footprint(recipe, stream, members=members, averages=averages) == pytest.approx(
        holds, rel=0.1
    )


def test_a_twin_takes_as_much_again_but_for_the_data():
    recipe, stream = Recipe(model=Mlp(hidden=(64,))), SplitDigits(steps=75).stream()
    crew = [Member(recipe, (Ema(momentum=Constant(value=0.9)),))] * 4
    holds = held(Cohort(crew, stream, seed=0, twin=twins(crew, stream, seed=0)))
    told = footprint(recipe, stream, members=4, averages=1, cohorts=2)
    assert told == pytest.approx(holds, rel=0.1)


def test_an_average_more_takes_its_weights_and_less_than_a_tenth():
    stream, few, many = RotatedDigits().stream(), 8, 64

    def cohort(averages):
        averagers = [Ema(momentum=Constant(value=1 / (k + 2))) for k in range(averages)]
        return Cohort([Member(Recipe(), tuple(averagers))], stream, seed=0)

    row = 4 * cohort(1).students.shape[1]
    each = (held(cohort(many)) - held(cohort(few))) / (many - few)
    assert row <= each <= 1.1 * row
    one, other = (footprint(Recipe(), stream, members=1, averages=n) for n in (many, few))
    assert (one - other) / (many - few) == pytest.approx(each, rel=0.02)


def test_a_merge_that_is_followed_counts_what_it_looks_at():
    clock = RotatedDigits().clock()  # 5 tasks
    assert rows(Merged(by=Interpolation()), clock) == 2
    assert rows(Merged(by=Ties()), clock) == 2 + 5
    assert rows(Merged(by=Fisher()), clock) == 2 + 5 + 5


def test_windows_that_overlap_count_as_rows():
    clock = RotatedDigits().clock()  # 5 tasks of 150 steps
    assert rows(Ema(momentum=Constant(value=0.5)), clock) == 1
    assert [rows(Lawa(window=n, every=10), clock) for n in (15, 16, 31, 1000)] == [1, 2, 3, 1]


def test_width_is_that_of_a_row():
    stream = Blobs().stream()
    cohort = Cohort([Member(Recipe(), (Ema(momentum=Constant(value=0.5)),))], stream, seed=0)
    assert width(Recipe().model, stream) == cohort.students.shape[1]


def test_a_teacher_that_is_deployed_is_kept_once():
    teacher, other = (Ema(momentum=Constant(value=m)) for m in (0.9, 0.99))
    recipe = Recipe(model=Mlp(hidden=(8,)), strategy=MeanTeacher(teacher=teacher))
    kept = [parameters(recipe, averager, Blobs()) for averager in (teacher, other)]
    assert kept[0] * 3 == kept[1] * 2
