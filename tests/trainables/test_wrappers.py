"""What each scenario that changes another promises beyond the laws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from trainables.scenarios import Scenario, Split
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.blurry_digits import BlurryDigits
from trainables.scenarios.instance_digits import InstanceDigits
from trainables.scenarios.noisy_labels import NoisyLabels
from trainables.scenarios.online import Online
from trainables.scenarios.permuted_digits import PermutedDigits
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.scenarios.scole_digits import ScoleDigits
from trainables.scenarios.shuffled_tasks import ShuffledTasks
from trainables.scenarios.si_blurry_digits import SiBlurryDigits
from trainables.scenarios.split_digits import SplitDigits

NATURES = [
    (Blobs(), "domain", True),
    (RotatedDigits(), "domain", True),
    (PermutedDigits(), "domain", True),
    (SplitDigits(), "class", True),
    (SplitDigits(incremental="task"), "task", True),
    (SplitDigits(incremental="domain"), "domain", True),
    (InstanceDigits(), "instance", True),
    (ScoleDigits(), "class", True),
    (BlurryDigits(), "class", False),
    (SiBlurryDigits(), "class", False),
]


def wrong(stream):
    return [s.y != true for s, true in zip(stream.train, stream.true_labels, strict=True)]


@pytest.mark.parametrize("spec, increment, boundaries", NATURES)
def test_wrappers_pass_on_what_a_stream_is(spec, increment, boundaries):
    assert (spec.increment(), spec.boundaries()) == (increment, boundaries)
    for wrapper in (NoisyLabels(of=spec), ShuffledTasks(of=spec)):
        assert (wrapper.increment(), wrapper.boundaries()) == (increment, boundaries)
        assert wrapper.shape() == spec.shape()


def test_wrappers_nest_in_a_file_and_each_does_its_part():
    told = {
        "kind": "noisy_labels",
        "rate": 0.5,
        "of": {
            "kind": "shuffled_tasks",
            "first": "kept",
            "of": {"kind": "online", "of": {"kind": "instance_digits", "steps": 5}},
        },
    }
    spec = TypeAdapter(Scenario).validate_python(told)
    stream, inner = spec.stream(), InstanceDigits(steps=5).stream()
    assert stream.once and stream.true_labels is not None and not spec.boundaries()
    assert spec.increment() == "instance"
    # The probe stays clean though the set that it is of does not.
    assert torch.equal(stream.probes["base"].y, inner.train[0].y)
    assert torch.equal(stream.train[0].x, inner.train[0].x)
    assert not torch.equal(stream.train[0].y, inner.train[0].y)


@settings(deadline=None, max_examples=20)
@given(rate=st.floats(0, 1), pattern=st.sampled_from(["symmetric", "asymmetric"]))
def test_the_rate_is_exact_and_only_training_labels_are_touched(rate, pattern):
    clean = SplitDigits()
    stream, before = NoisyLabels(of=clean, rate=rate, pattern=pattern).stream(), clean.stream()
    assert sum(some.sum().item() for some in wrong(stream)) == round(rate * 1200)
    for split, true, own in zip(stream.train, stream.true_labels, before.train, strict=True):
        assert torch.equal(true, own.y) and torch.equal(split.x, own.x)
    for part in ("validation", "test"):
        for split, own in zip(getattr(stream, part), getattr(before, part), strict=True):
            assert torch.equal(split.y, own.y)


def test_symmetric_noise_takes_every_other_class_equally_often():
    stream = NoisyLabels(of=Blobs(tasks=1, train=40_000), rate=1.0).stream()
    counts = torch.zeros(4, 4)
    for true, label in zip(stream.true_labels[0], stream.train[0].y, strict=True):
        counts[true, label] += 1
    assert (counts.diagonal() == 0).all()
    others = counts[~torch.eye(4, dtype=torch.bool)]
    torch.testing.assert_close(others / 10_000, torch.full((12,), 1 / 3), atol=0.03, rtol=0)


def test_asymmetric_noise_takes_the_next_class_and_after_the_last_the_first():
    stream = NoisyLabels(of=SplitDigits(), pattern="asymmetric", rate=0.4).stream()
    for split, true, some in zip(stream.train, stream.true_labels, wrong(stream), strict=True):
        assert split.y[some].tolist() == [(label + 1) % 10 for label in true[some].tolist()]


@pytest.mark.parametrize("pattern", ["symmetric", "asymmetric"])
def test_where_the_task_is_told_wrong_labels_are_of_its_classes(pattern):
    inner = SplitDigits(incremental="task", tasks=2, order="shuffled")
    stream = NoisyLabels(of=inner, pattern=pattern, rate=1.0).stream()
    for mask, split, true in zip(stream.masks, stream.train, stream.true_labels, strict=True):
        own = mask.nonzero().squeeze(1).tolist()
        assert mask[split.y].all() and (split.y != true).all()
        assert len(split.y.unique()) == 5
        if pattern == "asymmetric":
            after = dict(zip(own, [*own[1:], own[0]], strict=True))
            assert split.y.tolist() == [after[label] for label in true.tolist()]


def test_a_sample_that_recurs_keeps_its_wrong_label_and_counts_once():
    stream = NoisyLabels(of=ScoleDigits(tasks=300), rate=0.3).stream()
    labels = {}
    for split, true in zip(stream.train, stream.true_labels, strict=True):
        for row, *pair in zip(split.x.flatten(1).numpy(), split.y, true, strict=True):
            labels.setdefault(bytes(row), set()).add(tuple(int(y) for y in pair))
    assert all(len(found) == 1 for found in labels.values())
    assert len(labels) == 1200
    assert sum(label != true for ((label, true),) in labels.values()) == 360
    assert len(set(map(id, stream.train))) <= 45


def test_noise_upon_noise_remembers_the_truth():
    twice = NoisyLabels(of=NoisyLabels(of=Blobs(), rate=0.5), rate=0.5, seed=1).stream()
    for true, split in zip(twice.true_labels, Blobs().stream().train, strict=True):
        assert torch.equal(true, split.y)


def test_noise_is_its_own_seeds_and_leaves_the_data():
    one, other = (NoisyLabels(of=Blobs(), seed=seed).stream() for seed in (0, 1))
    assert torch.equal(one.train[0].x, other.train[0].x)
    assert any(not torch.equal(a, b) for a, b in zip(wrong(one), wrong(other), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Lonely(Blobs):
    """Tasks that ask for one class alone."""

    def stream(self):
        stream = Blobs.stream(self)
        mask = torch.zeros(3, 4, dtype=torch.bool)
        mask[:, 2] = True
        train = tuple(Split(s.x, torch.full_like(s.y, 2)) for s in stream.train)
        return replace(stream, masks=mask, train=train)


def test_a_class_alone_has_no_wrong_label():
    assert not any(some.any() for some in wrong(NoisyLabels(of=Lonely(), rate=0.0).stream()))
    with pytest.raises(ValueError, match="a task with the class 2 alone has no wrong label"):
        NoisyLabels(of=Lonely(), rate=0.1).stream()


def test_online_says_which_task_is_too_short():
    stream = Online(of=SplitDigits(steps=24)).stream()
    assert [tuple(i.shape) for i in stream.batch_indices(seed=0, size=9)] == [(24, 9)] * 5
    shortest = min(range(5), key=lambda task: len(stream.train[task]))
    samples = len(stream.train[shortest])
    with pytest.raises(
        ValueError,
        match=f"task {shortest} has {samples} of them and 24 steps of batch 10 take 240: fewer",
    ):
        stream.batch_indices(seed=0, size=10)


def test_online_streams_hide_their_boundaries_unless_they_are_told():
    assert not Online(of=SplitDigits()).boundaries()
    assert Online(of=SplitDigits(), told="boundaries").boundaries()
    assert Online(of=SplitDigits(incremental="task"), told="boundaries").increment() == "task"


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0), first=st.sampled_from(["shuffled", "kept"]))
def test_shuffled_tasks_are_the_tasks_each_with_its_length_and_mask(seed, first):
    inner = NoisyLabels(of=SplitDigits(incremental="task", order="shuffled"))
    shuffled = ShuffledTasks(of=inner, seed=seed, first=first)
    stream, before = shuffled.stream(), inner.stream()
    order = [
        next(i for i, old in enumerate(before.train) if torch.equal(old.x, split.x))
        for split in stream.train
    ]
    assert sorted(order) == list(range(5)) and (first == "shuffled" or order[0] == 0)
    for place, task in enumerate(order):
        assert torch.equal(stream.masks[place], before.masks[task])
        assert torch.equal(stream.true_labels[place], before.true_labels[task])
        for part in ("train", "validation", "test"):
            assert torch.equal(getattr(stream, part)[place].y, getattr(before, part)[task].y)


def test_a_long_base_task_moves_with_its_steps_or_stays():
    inner = InstanceDigits(base_steps=9, steps=2, phases=3)
    lengths = {
        seed: [task.steps for task in ShuffledTasks(of=inner, seed=seed).clock().tasks()]
        for seed in range(20)
    }
    assert {tuple(found).index(9) for found in lengths.values()} == {0, 1, 2, 3}
    assert all(sorted(found) == [2, 2, 2, 9] for found in lengths.values())
    for seed, found in lengths.items():
        train = ShuffledTasks(of=inner, seed=seed).stream().train
        assert len(train[found.index(9)]) == 600
    kept = ShuffledTasks(of=inner, first="kept", seed=1)
    assert kept.clock() == inner.clock()
    assert len({tuple(replace(kept, seed=s)._order()) for s in range(20)}) == 6


@pytest.mark.parametrize(
    "spec, said",
    [
        ({"kind": "noisy_labels"}, "of"),
        ({"kind": "noisy_labels", "of": {"kind": "blobs"}, "rate": 1.1}, "less than or equal to 1"),
        ({"kind": "shuffled_tasks", "of": {"kind": "blobs", "tasks": 1}}, "nothing to shuffle"),
        (
            {"kind": "shuffled_tasks", "of": {"kind": "blobs", "tasks": 2}, "first": "kept"},
            "nothing to shuffle: of has tasks=2",
        ),
        (
            {"kind": "online", "of": {"kind": "split_digits", "incremental": "task"}},
            "a task-incremental stream tells the task",
        ),
        (
            {"kind": "online", "of": {"kind": "blurry_digits"}, "told": "boundaries"},
            "blurry_digits has no boundaries to be told",
        ),
    ],
)
def test_what_cannot_be_wrapped_is_refused(spec, said):
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Scenario).validate_python(spec)
