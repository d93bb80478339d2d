"""What memories keep, against each policy written out, and by how often it keeps what."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import memories as oracle
from trainables.memories.base import Arrivals
from trainables.memories.class_reservoir import ClassReservoir
from trainables.memories.class_rings import ClassRings
from trainables.memories.greedy import Greedy
from trainables.memories.reservoir import Reservoir
from trainables.memories.task_rings import TaskRings
from trainables.occupancy import occupancy
from trainables.replays import course
from trainables.scenarios.blobs import Blobs


def arrivals(labels, batch=4, epochs=1, tasks=2):
    """The samples 0, 1, 2... of these labels in order, once an epoch, in one task after the other."""
    samples = torch.arange(len(labels)).repeat(epochs).view(-1, batch)
    y = torch.tensor(labels)
    task = torch.arange(len(samples)) * tasks // len(samples)
    return Arrivals(samples, y[samples], task, max(labels) + 1, tasks)


def held(memory, stream, seed=0):
    """The samples that are held in the end, by place."""
    places = memory.places(stream, torch.Generator().manual_seed(seed))
    return oracle.course(places, stream.samples)[-1]


def kept_how_often(memory, stream, runs=2000):
    counts = Counter(s for seed in range(runs) for s in held(memory, stream, seed).values())
    return torch.tensor([counts[i] / runs for i in range(int(stream.samples.max()) + 1)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 9), steps=st.integers(1, 12))
def test_occupancy_is_that_of_a_dictionary(seed, size, steps):
    rng = torch.Generator().manual_seed(seed)
    places = torch.randint(-1, size, (steps, 3), generator=rng)
    samples = torch.randint(50, (steps, 3), generator=rng)
    unit = torch.rand(steps, 2, 40, generator=rng, dtype=torch.float64)
    put = occupancy(places, samples)
    seats, shown, filled = put.pick(unit)
    for step, there in enumerate(oracle.course(places, samples)[:-1]):
        assert filled[step] == len(there)
        got = zip(seats[step].flatten().tolist(), shown[step].flatten().tolist(), strict=True)
        assert (
            all(there[seat] == sample for seat, sample in got) if there else not seats[step].any()
        )
        mine = slice(int(put.count[step]), int(put.count[step + 1]))
        now = dict(zip(put.places[mine].tolist(), put.columns[mine].tolist(), strict=True))
        last = {p: i for i, p in enumerate(places[step].tolist()) if p >= 0}
        assert now == last


def test_every_place_that_is_filled_is_shown_as_often():
    places = torch.tensor([[3, 0], [7, -1], [-1, -1]])
    unit = (torch.arange(300, dtype=torch.float64) / 300).expand(3, 300)
    seats, _, _ = occupancy(places, torch.arange(6).view(3, 2)).pick(unit)
    assert Counter(seats[2].tolist()) == {0: 100, 3: 100, 7: 100}
    assert Counter(seats[1].tolist()) == {0: 150, 3: 150}


def test_a_reservoir_keeps_every_sample_with_the_same_probability():
    share = kept_how_often(Reservoir(size=6), arrivals([0] * 24))
    assert (share - 6 / 24).abs().max() < 5 * (0.25 * 0.75 / 2000) ** 0.5


def test_a_reservoir_that_is_offered_all_once_knows_no_later_epochs():
    once, thrice = arrivals([0] * 24), arrivals([0] * 24, epochs=3)
    memory = Reservoir(size=6, offered="once")
    assert held(memory, once) == held(memory, thrice)


def test_a_reservoir_keeps_all_visits_alike():
    always, stream = Reservoir(size=6), arrivals([0] * 12, epochs=2)
    visits = stream._replace(samples=torch.arange(24).view(-1, 4))
    share = kept_how_often(always, visits)
    assert (share - 6 / 24).abs().max() < 5 * (0.25 * 0.75 / 2000) ** 0.5
    places = always.places(stream, torch.Generator())
    assert (places[3:] >= 0).any(), "a second visit may be put"


def test_rings_of_classes_are_queues():
    labels = [0, 1, 0, 0, 2, 0, 1, 0, 0, 2, 0, 0]
    stream = arrivals(labels, epochs=2)
    last = oracle.rings(stream.samples, stream.labels, [3, 2, 2])
    assert set(held(ClassRings(size=7), stream).values()) == set.union(*last)


def test_rings_of_tasks_are_queues():
    stream = arrivals([0] * 16, tasks=4)
    task = stream.task.unsqueeze(1).expand_as(stream.samples)
    last = oracle.rings(stream.samples, task, [2, 2, 1, 1])
    assert set(held(TaskRings(size=6), stream).values()) == set.union(*last)


def test_with_fewer_places_than_classes_the_last_have_none():
    stream = arrivals([0, 1, 2, 1] * 3)
    assert {int(stream.labels.flatten()[s]) for s in held(ClassRings(size=2), stream).values()} == {
        0,
        1,
    }


def in_a_row(*counts):
    """Labels of classes that come one after the other."""
    return [c for c, count in enumerate(counts) for _ in range(count)]


@pytest.mark.parametrize("labels", [in_a_row(12, 8, 20), [0, 1, 1, 2] * 5, in_a_row(20, 2, 2)])
def test_greedy_keeps_as_many_of_each_class_as_its_algorithm(labels):
    stream, size = arrivals(labels), 9
    places = Greedy(size=size).places(stream, torch.Generator().manual_seed(1))
    course = oracle.course(places, stream.samples)[1:]
    wanted = oracle.greedy_counts(labels, size)[3::4]
    for there, counts in zip(course, wanted, strict=True):
        got = Counter(labels[s] for s in there.values())
        # Which of several largest classes gives way is drawn, so the numbers agree but for order.
        assert sorted(got.values()) == sorted(n for n in counts.values() if n)


def test_greedy_draws_whom_it_drops():
    share = kept_how_often(Greedy(size=4), arrivals(in_a_row(4, 4)))
    assert (share[:4] - 0.5).abs().max() < 0.06
    assert share[4:6].min() == 1 and share[6:].max() == 0


def test_a_class_reservoir_balances_and_draws_within_a_full_class():
    share = kept_how_often(ClassReservoir(size=6), arrivals(in_a_row(12, 2, 2)))
    assert share[12:].min() == 1, "small classes are kept whole"
    assert (share[:12] - 2 / 12).abs().max() < 0.05, "the large one gives way, drawn from all of it"


def test_a_class_reservoir_keeps_a_lone_class_as_a_reservoir():
    share = kept_how_often(ClassReservoir(size=6), arrivals([0] * 24))
    assert (share - 6 / 24).abs().max() < 5 * (0.25 * 0.75 / 2000) ** 0.5


def test_a_course_shows_nothing_before_something_is_held():
    stream = Blobs(tasks=2, steps=50, train=60).stream()
    batches = stream.batch_indices(seed=0, size=8)
    found = course(Reservoir(size=50, batch=4), stream, batches, seed=0, draws=2)
    assert found.shown.shape == (100, 2, 4) and len(found.edges) == 101
    assert not found.share[0].any() and (found.share[1:] == 0.25).all()
