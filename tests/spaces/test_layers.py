"""Layers that grow row by row hold what ranking all rows anew says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import fronts
from spaces.layers import Layers

numbers = st.one_of(st.integers(0, 5).map(float), st.floats(-10, 10))


@pytest.mark.parametrize("objectives", [2, 3, 4])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_ranks_are_those_of_all_rows_ranked_anew(objectives, data):
    rows = np.array(data.draw(st.lists(st.tuples(*[numbers] * objectives), min_size=1)))
    layers, first = Layers(objectives), data.draw(st.integers(1, len(rows)))
    layers.add(rows[:first])
    for n in range(first, len(rows) + 1):
        layers.add(rows[first:n][-1:])
        ranks = fronts.ranks(rows[:n])
        room = data.draw(st.integers(1, n))
        last = np.sort(ranks)[room - 1]
        assert layers.last(room) == (last, (ranks < last).sum())
        for row, rank in zip(rows[:n], ranks, strict=True):
            assert layers.rank(row) == rank or min(layers.rank(row), rank) > last
        there, counts = layers.rows(int(last))
        expected = np.unique(rows[:n][ranks == last], axis=0, return_counts=True)
        order = np.lexsort(there.T[::-1])
        np.testing.assert_array_equal(there[order], expected[0])
        np.testing.assert_array_equal(counts[order], expected[1])
    assert len(layers) == len(rows)
