"""Exp and log of vectors: float64's to two units of the last place, and what is no number where that is so."""

from __future__ import annotations

import numpy as np
import pytest

from trainables import elementary, products

if not products.compiles():
    pytest.skip("compiled products need AVX-512 and llvmlite", allow_module_level=True)

from trainables.assembly import LANES, Body, compiled

SPECIAL = [
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    1e-40,
    -1e-40,
    3e38,
    -3e38,
    1.0,
    -1.0,
    -87.4,
    -103.9,
    88.7,
]


def of(function, numbers):
    """The function of float32 numbers, and of the same at other places in their vectors."""

    def one(i, _):
        at = body.times(i, LANES)
        body.store(function(body, body.load(body.at("%x", at))), body.at("%y", at))
        return ()

    body = Body()
    body.loop("%count", one)
    name = "function"
    code = compiled([body.function(name, ["i64 %count", "ptr %x", "ptr %y"], inner=False)], name, 3)
    full = np.concatenate([numbers, np.ones(-len(numbers) % LANES + LANES)]).astype(np.float32)
    found = []
    for given in (full, np.roll(full, 5)):
        made = np.empty_like(given)
        code.call(len(given) // LANES, given.ctypes.data, made.ctypes.data)
        found.append(made)
    np.testing.assert_array_equal(found[0], np.roll(found[1], -5))
    return found[0][: len(numbers)]


@pytest.mark.parametrize(
    "name, low, high",
    [("exp", -104, 89), ("exp", -1e-3, 1e-3), ("log", 1e-45, 3e38), ("log", 0.5, 2)],
)
def test_it_is_off_by_two_units_of_the_last_place_at_most(name, low, high):
    drawn = np.random.default_rng(0).uniform(0, 1, 200_000)
    numbers = low * (high / low) ** drawn if low > 0 else low + (high - low) * drawn
    numbers = numbers.astype(np.float32)
    with np.errstate(over="ignore", divide="ignore"):
        exact = getattr(np, name)(numbers.astype(np.float64))
        rounded = exact.astype(np.float32)
    made = of(getattr(elementary, name), numbers)
    there = np.isfinite(rounded)
    assert (np.isfinite(made) == there).all()
    off = np.abs(made.astype(np.float64) - exact)[there] / np.spacing(np.abs(rounded[there]))
    assert off.max() <= 2


@pytest.mark.parametrize("name", ["exp", "log"])
def test_what_is_no_number_stays_so(name):
    numbers = np.array(SPECIAL, dtype=np.float32)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(numbers.astype(np.float64)).astype(np.float32)
    made = of(getattr(elementary, name), numbers)
    np.testing.assert_allclose(made, expected, rtol=3e-7, atol=2e-45)
