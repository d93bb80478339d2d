"""Surrogates: what knobs are to them, and that they learn what they are shown."""

import numpy as np
import pytest

from search.surrogates import Encoding, Ensemble, Fitting
from spaces.domains import Choice, Range

KNOBS = {
    "lr": Range(1e-3, 1, "log"),
    "strategy": Choice(("a", "b", "c")),
    "strategy.1.weight": Range(0, 4),
}
QUICK = Fitting(nets=2, width=24, depth=2, epochs=60, batch=64, lr=1e-2)


@pytest.fixture(scope="module")
def taught():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (1024, 2))
    return inputs, _truth(inputs), Ensemble.fit(inputs, _truth(inputs), QUICK)


def _truth(inputs):
    a, b = inputs.T
    return np.stack([0.5 + 0.4 * np.sin(2 * a) * b, 0.2 + 0.1 * a * a], axis=1)


def test_knobs_in_play_and_not():
    encode = Encoding(KNOBS)
    rows = encode(
        [{"lr": 1.0, "strategy": 0}, {"lr": 1e-3, "strategy": 1, "strategy.1.weight": 3.0}]
    )
    assert rows == pytest.approx(np.array([[1, 1, 1, 0, 0, 0, 0], [-1, 1, 0, 1, 0, 0.5, 1]]))
    assert encode.width == 7
    assert encode([]).shape == (0, 7)


def test_a_knob_of_another_space():
    with pytest.raises(KeyError):
        Encoding(KNOBS)([{"momentum": 0.9}])


def test_it_learns_what_it_was_not_shown(taught):
    _, _, ensemble = taught
    asked = np.random.default_rng(1).uniform(-0.9, 0.9, (200, 2))
    assert np.abs(ensemble(asked) - _truth(asked)).mean() < 0.02


def test_it_is_the_same_every_time(taught):
    inputs, outputs, ensemble = taught
    assert np.array_equal(Ensemble.fit(inputs, outputs, QUICK)(inputs[:9]), ensemble(inputs[:9]))


def test_alone_and_in_company_it_predicts_alike(taught):
    inputs, _, ensemble = taught
    assert ensemble(inputs[:64])[7] == pytest.approx(ensemble(inputs[7:8])[0], abs=1e-6)


def test_what_is_written_is_what_is_read(taught, tmp_path):
    inputs, _, ensemble = taught
    ensemble.write(tmp_path / "ensemble.npz")
    again = Ensemble.read(tmp_path / "ensemble.npz")
    assert np.abs(again(inputs) - ensemble(inputs)).max() < 2e-3
