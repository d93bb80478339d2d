"""Densities on a grid: exact sums, against Optuna's own estimator, which looks at every candidate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator

from search.samplers.densities import CELLS, OUT, WIDTHS, Grid, Ground, kernels, spread, width
from spaces.domains import Choice, Range

KNOBS = {
    "lr": Range(1e-3, 1.0, "log"),
    "momentum": Range(0.5, 0.9999, "near_one"),
    "every": Range(1, 50, whole=True),
    "two": Range(3, 4, whole=True),
    "kind": Choice(("a", "b", "c")),
}
GRID = Grid(KNOBS)


def candidate(rng):
    knobs = {name: domain.at(rng.random()) for name, domain in KNOBS.items() if rng.random() < 0.8}
    return GRID.of(knobs)


@settings(deadline=None, max_examples=60)
@given(ways=st.lists(st.floats(0, 1), min_size=len(KNOBS), max_size=len(KNOBS)))
def test_a_value_lies_in_the_cell_that_it_is_drawn_of(ways):
    knobs = {n: d.at(u) for (n, d), u in zip(KNOBS.items(), ways, strict=True)}
    cells = np.array(GRID.of(knobs))
    assert ((cells >= 0) & (cells < GRID.sizes)).all()
    back = [GRID.way(knob, cell, 0.5) for knob, cell in enumerate(cells)]
    true = np.array([d.way(knobs[n]) for n, d in KNOBS.items()])
    assert (np.abs(back - true) <= 0.5 / GRID.sizes + 1e-9).all()
    assert KNOBS["kind"].at(back[-1]) == knobs["kind"]


@pytest.mark.parametrize("many", [1, 2, 7, 150, 400])
def test_grown_is_bit_for_bit_made_at_once_in_whatever_order(many):
    """Whenever it was looked at in between."""
    rng = np.random.default_rng(many)
    asked = [candidate(rng) for _ in range(many)]
    rows = []
    for order, looks in ((asked, 1), (asked, 7), (asked[::-1], many)):
        ground = Ground(GRID)
        for number, cells in enumerate(order):
            ground.add(cells)
            if number % looks == 0:
                assert ground.rows.shape == (len(GRID), GRID.cells)
        rows.append(ground.rows)
    assert rows[0].tobytes() == rows[1].tobytes() == rows[2].tobytes()
    for knob in range(len(GRID)):
        inside = [int(cells[knob]) for cells in asked if cells[knob] != OUT]
        wide = width(np.array([1.5 / min(200, max(1, len(inside)))]))[0]
        wide = WIDTHS if GRID.choices[knob] else wide
        assert (rows[0][knob] == sum(kernels(GRID.cells)[wide, c] for c in inside)).all()


def test_what_was_removed_might_never_have_been_added():
    rng = np.random.default_rng(0)
    asked = [candidate(rng) for _ in range(90)]
    ground, without = Ground(GRID), Ground(GRID)
    for cells in asked:
        ground.add(cells)
    for number, cells in enumerate(asked):
        without.add(cells) if number % 3 else ground.remove(cells)
    assert ground.rows.tobytes() == without.rows.tobytes()


def test_kernels_are_normal_distributions_cut_off_at_the_ends():
    found = kernels(CELLS)
    assert np.allclose(found.sum(axis=2), 1, atol=CELLS * 2.0**-30)
    middle = np.arange(CELLS) + 0.5
    for k in (0, 5, WIDTHS - 1):
        bell = np.exp(-0.5 * ((middle - middle[10]) / CELLS / 2 ** (-k / 2)) ** 2)
        assert np.allclose(found[k, 10], bell / bell.sum(), atol=1e-8)


@pytest.mark.parametrize("many", [2, 5, 20, 60])
def test_the_good_are_as_dense_as_optuna_has_them(many):
    """Up to the factor of sqrt(2) to which widths are rounded, and what is believed beforehand."""
    rng = np.random.default_rng(many)
    values = rng.beta(2, 5, many)
    grid = Grid({"x": Range(0.0, 1.0)})
    ours = spread(grid, [grid.of({"x": float(v)}) for v in values])[0] / many
    theirs = _ParzenEstimator(
        {"x": values},
        {"x": FloatDistribution(0.0, 1.0)},
        TPESampler()._parzen_estimator_parameters._replace(prior_weight=1e-9),
        np.ones(many),
    )
    expected = np.exp(theirs.log_pdf({"x": (np.arange(CELLS) + 0.5) / CELLS})) / CELLS
    assert ours.sum() == pytest.approx(1, abs=1e-6)
    assert 0.5 * np.abs(ours - expected).sum() < 0.1  # total variation; unlike densities: 0.4


def spread_singly(few):
    """Knob by knob and kernel by kernel, in whatever order."""
    rows = np.zeros((len(GRID), GRID.cells))
    for knob in range(len(GRID)):
        inside = sorted(cells[knob] for cells in few if cells[knob] != OUT)
        for i, cell in enumerate(inside):
            gaps = [abs(cell - other) for other in inside[max(i - 1, 0) : i + 2]]
            gap = max(gaps) if len(inside) > 1 else max(cell, GRID.cells - 1 - cell)
            sigma = max(gap / GRID.cells, 1 / min(100, len(inside) + 2))
            rows[knob] += GRID.kernels[WIDTHS if GRID.choices[knob] else width(sigma), cell]
    return rows


@pytest.mark.parametrize("many", [0, 1, 2, 3, 20, 150])
def test_the_good_are_spread_as_they_are_singly(many):
    rng = np.random.default_rng(many)
    few = [candidate(rng) for _ in range(many)]
    assert (spread(GRID, few) == spread_singly(few)).all()


def test_of_a_choice_the_good_are_counted():
    grid = Grid({"kind": Choice(("a", "b", "c"))})
    cells = [grid.of({"kind": k}) for k in (0, 2, 2)]
    assert spread(grid, cells)[0, :3].tolist() == [1, 0, 2]
    assert grid.prior[0, :4].tolist() == [1, 1, 1, 0]
