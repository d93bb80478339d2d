"""The laws that every memory keeps. That it trains members as they would alone: test_cohorts.py."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.cases import specs_of
from trainables.memories import Memory
from trainables.memories.base import Arrivals

CLASSES, TASKS, BATCH = 4, 3, 5

each_kind = pytest.mark.parametrize("kind", Memory.kinds.values(), ids=Memory.kinds)


@st.composite
def streams(draw):
    """Tasks of a few samples each, labelled as they like, whose batches may show one again."""
    each, steps = draw(st.integers(3, 12)), draw(st.integers(1, 6))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    labels = torch.randint(CLASSES, (TASKS * each,), generator=rng)
    task = torch.arange(TASKS).repeat_interleave(steps)
    samples = torch.randint(each, (TASKS * steps, BATCH), generator=rng)
    samples += task.unsqueeze(1) * each
    return Arrivals(samples, labels[samples], task, CLASSES, TASKS)


def placed(memory, arrivals, seed=0):
    return memory.places(arrivals, torch.Generator().manual_seed(seed))


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data(), arrivals=streams())
def test_places_are_of_the_memory_and_the_same_again(kind, data, arrivals):
    memory = data.draw(specs_of(kind))
    places = placed(memory, arrivals)
    assert places.shape == arrivals.samples.shape and places.dtype == torch.long
    assert places.min() >= -1 and places.max() < memory.size
    assert torch.equal(places, placed(memory, arrivals))


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data(), arrivals=streams(), cut=st.integers(1, 17))
def test_what_arrives_later_changes_nothing_earlier(kind, data, arrivals, cut):
    memory = data.draw(specs_of(kind))
    early = Arrivals(*(t[:cut] for t in arrivals[:3]), CLASSES, TASKS)
    assert torch.equal(placed(memory, early), placed(memory, arrivals)[:cut])


@each_kind
@settings(max_examples=30, deadline=None)
@given(arrivals=streams())
def test_with_room_for_all_every_sample_is_kept(kind, arrivals):
    places = placed(kind(size=10_000), arrivals)
    there = places[places >= 0]
    assert len(there.unique()) == len(there), "nothing takes another's place"
    assert set(arrivals.samples[places >= 0].tolist()) == set(arrivals.samples.flatten().tolist())
