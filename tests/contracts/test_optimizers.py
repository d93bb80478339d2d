"""The laws that every optimizer keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.bounds import PROBE
from tests.contracts.cases import specs_of
from trainables.optimizers import Optimizer
from trainables.optimizers.base import Slots
from trainables.tables import tables

CLOCK = PROBE  # on which schedules are known to keep to their bounds
P = 48

each_kind = pytest.mark.parametrize("kind", Optimizer.kinds.values(), ids=Optimizer.kinds)


def columns(spec):
    return tables(spec, CLOCK, "optimizer") | spec.derived(CLOCK, np.zeros(CLOCK.steps))


def moved(specs, weights, gradients):
    """Weights [M, P] after gradients [T, M, P]."""
    each = [columns(spec) for spec in specs]
    stacked = {n: torch.tensor(np.stack([c[n] for c in each])).float() for n in each[0]}
    memory = {n: torch.zeros_like(weights) for n in specs[0].memory}
    for step, g in enumerate(gradients):
        now = {n: t[:, step : step + 1] for n, t in stacked.items()}
        out = torch.full_like(weights, torch.nan)
        specs[0].update_(Slots(weights, g.clone(), out), memory, now)
        weights = out
    return weights


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data(), members=st.integers(1, 5))
def test_each_row_moves_as_it_would_alone(kind, data, members):
    specs = [data.draw(specs_of(kind)) for _ in range(members)]
    rng = torch.Generator().manual_seed(0)
    weights = torch.randn(members, P, generator=rng)
    gradients = torch.randn(CLOCK.steps, members, P, generator=rng)
    together = moved(specs, weights, gradients)
    for m, spec in enumerate(specs):
        alone = moved([spec], weights[m : m + 1], gradients[:, m : m + 1])
        assert torch.allclose(together[m], alone[0], rtol=0, atol=0, equal_nan=True)


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_padding_stays_zero(kind, data):
    spec = data.draw(specs_of(kind))
    assert not moved([spec], torch.zeros(1, P), torch.zeros(CLOCK.steps, 1, P)).any()
