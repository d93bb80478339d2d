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
    shared = data.draw(st.booleans())
    owners = [data.draw(st.integers(0, 5)) if shared else i for i in range(len(rows))]
    layers.add(rows[:first], owners[:first])
    for n in range(first, len(rows) + 1):
        if n > first:
            layers.add(rows[n - 1 : n], owners[n - 1 : n])
        ranks = fronts.ranks(rows[:n])
        best = {
            o: min(r for r, p in zip(ranks, owners, strict=False) if p == o) for o in owners[:n]
        }
        room = data.draw(st.integers(1, len(best)))
        last = sorted(best.values())[room - 1]
        better = {o for o, rank in best.items() if rank < last}
        assert layers.cut(room, shared=shared) == (last, len(better), better if shared else set())
        for row, rank in zip(rows[:n], ranks, strict=True):
            assert layers.rank(row) == rank or min(layers.rank(row), rank) > last
            assert layers.is_before(int(last), row) == (rank < last)
        there, of = layers.rows(int(last))
        found = sorted((tuple(row), sorted(who)) for row, who in zip(there, of, strict=True))
        here = [i for i in range(n) if ranks[i] == last]
        distinct = sorted({tuple(rows[i]) for i in here})
        assert found == [
            (d, sorted(owners[i] for i in here if tuple(rows[i]) == d)) for d in distinct
        ]
        assert layers.owners_at(int(last)) == {owners[i] for i in here}
    assert len(layers) == len(rows)
    assert layers.owners == set(owners)
