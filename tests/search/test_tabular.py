"""The tabular world's parts: a seed's luck, the prices of jobs, and the worlds that are shipped."""

from pathlib import Path

import numpy as np
import pytest

from search.noise import Noise
from search.prices import Load, Prices
from search.tables import read
from search.tabular import flat, load, triangles
from spaces.fronts import hypervolume, non_dominated
from spaces.problems import SpecError
from trainables.metrics import measure

SHIPPED = Path(__file__).parents[2] / "benchmarks" / "tables"
WORLDS = sorted(SHIPPED.glob("*.parquet"))

ROOT = np.array([[0.2, 0.0], [0.1, 0.1], [0.0, 0.3]])
CANDIDATES = [
    {"recipe.lr": student / 100, "averager.momentum": average / 10}
    for student in range(100)
    for average in range(4)
]


# --- luck -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lucky():
    """[candidates, seeds, accuracies] around a half, by a noise that is known."""
    mean = np.full((len(CANDIDATES), 3), 0.5)
    noise = Noise(ROOT / 2, shared=0.75)
    return np.stack([noise.of(CANDIDATES, seed, mean) for seed in range(8)], axis=1)


def test_luck_is_found_again_in_what_it_made(lucky):
    students = np.repeat(np.arange(100), 4)
    found = Noise.fit(lucky, students)
    assert found.root @ found.root.T == pytest.approx(ROOT @ ROOT.T / 4, abs=2e-3)
    assert found.shared == pytest.approx(0.75, abs=0.05)


def test_luck_is_a_seeds_and_a_candidates(lucky):
    mean = np.full((2, 3), 0.5)
    noise = Noise(ROOT / 2, shared=0.75)
    assert np.array_equal(noise.of(CANDIDATES[:2], 3, mean), lucky[:2, 3])
    assert not np.any(lucky[0, 0] == lucky[0, 1])
    assert not np.any(lucky[0, 0] == lucky[1, 0])


def test_luck_keeps_accuracies_accuracies():
    drawn = Noise(20 * ROOT, shared=0.0).of(CANDIDATES, 0, np.full((400, 3), 0.9))
    assert drawn.min() == 0
    assert drawn.max() == 1


# --- prices -----------------------------------------------------------------------------------

TRUE = Prices({0: (0.1, 0.5, 0.2, 0.01, 0.03, 0.002), 1: (0.2, 0.0, 0.4, 0.02, 0.0, 0.004)})
LOADS = [
    Load(strategy=kind, members=m, averages=m * k, task=task)
    for kind in (0, 1)
    for m in (1, 4, 16)
    for k in (1, 8)
    for task in range(3)
]


def test_prices_are_found_again_in_what_they_made():
    timed = [(each, TRUE.of(each)) for each in LOADS]
    found = Prices.fit(timed)
    assert np.abs(found.errors(timed)).max() < 1e-9
    asked = Load(strategy=1, members=7, averages=9, task=4)
    assert found.of(asked) == pytest.approx(0.2 + 7 * 0.4 + 9 * 0.02 + 5 * 9 * 0.004)


def test_prices_survive_json():
    assert Prices.of_json(TRUE.to_json()) == TRUE


# --- the worlds that are shipped --------------------------------------------------------------


def test_triangles_and_back():
    rows = np.arange(12.0).reshape(2, 6)
    found = triangles(rows, 3)
    assert found[0][np.tril_indices(3)].tolist() == rows[0].tolist()
    assert np.isnan(found[:, 0, 1]).all()
    assert np.array_equal(flat(found), rows)


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_shipped_world_is_near_its_table(path):
    world, table = load(path), read(path)
    assert len(table.of_seed(table.file.seed)) >= 4000
    assert {*table.states} == {"complete"} and np.isfinite(flat(table.accuracy)).all()
    rows = slice(0, 64)
    apart = np.abs(world.expected(table.knobs[rows]) - table.accuracy[rows])
    assert np.nanmean(apart) < 0.05
    once, again = (world.accuracy(table.knobs[rows], seed=1) for _ in range(2))
    assert np.array_equal(once, again, equal_nan=True)
    lucky = np.abs(once - world.accuracy(table.knobs[rows], seed=2))
    assert 0.002 < np.nanmean(lucky) < 0.1


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_nothing_in_a_table_beats_the_true_front(path):
    world, table = load(path), read(path)
    objectives = world.file.objectives
    assert non_dominated(objectives.costs(world.front)).all()
    found = world.expected(table.knobs[:500]).tolist()
    sheets = [{"accuracy": [row[: k + 1] for k, row in enumerate(a)]} for a in found]
    values = np.array([list(measure(objectives.names, sheet).values()) for sheet in sheets])
    costs, reference = objectives.costs(world.front), objectives.reference_cost
    both = np.concatenate([costs, objectives.costs(values)])
    assert hypervolume(both, reference) < hypervolume(costs, reference) + 1e-3


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_wider_job_takes_longer_and_less_for_each(path):
    world, table = load(path), read(path)
    knobs = table.knobs[0]
    alone, wide = (world.seconds([[knobs] * 4] * members, task=2) for members in (1, 16))
    assert alone < wide < 16 * alone


def test_a_table_whose_world_was_not_fitted(tmp_path):
    with pytest.raises(SpecError, match="not fitted yet"):
        load(tmp_path / "lonely.parquet")
