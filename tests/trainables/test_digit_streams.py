"""What the permuted, instance-incremental, recurring and blurry digits promise beyond the laws."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.scenarios import digits
from trainables.scenarios.blurry_digits import BlurryDigits
from trainables.scenarios.instance_digits import InstanceDigits
from trainables.scenarios.permuted_digits import PermutedDigits
from trainables.scenarios.scole_digits import ScoleDigits
from trainables.scenarios.si_blurry_digits import SiBlurryDigits
from trainables.seeds import generator

BLURRY = pytest.mark.parametrize("kind", [BlurryDigits, SiBlurryDigits])


def rows(splits):
    return [bytes(row) for split in splits for row in split.x.flatten(1).numpy()]


def whole(spec):
    return digits.splits(train=spec.train, validation=spec.validation, seed=spec.seed)


def homes(stream):
    """The classes that each task is validated on."""
    return [split.y.unique().tolist() for split in stream.validation]


def test_each_task_permutes_the_pixels_of_all_images_alike():
    spec = PermutedDigits(tasks=3)
    stream = spec.stream()
    for part, images in zip(
        (stream.train, stream.validation, stream.test), whole(spec), strict=True
    ):
        assert torch.equal(part[0].x, images.x)
        for task, split in enumerate(part):
            assert torch.equal(split.y, images.y)
            pixels = torch.randperm(64, generator=generator("pixels", 0, task))
            for image, shown in zip(images.x[:20], split.x[:20], strict=True):
                assert task == 0 or shown.flatten().tolist() == [
                    image.flatten()[pixel] for pixel in pixels
                ]
                assert torch.equal(image.flatten().sort().values, shown.flatten().sort().values)
    assert not torch.equal(stream.train[1].x, stream.train[2].x)


@settings(deadline=None, max_examples=20)
@given(phases=st.integers(1, 20), train=st.integers(50, 1400), seed=st.integers(0))
def test_phases_share_evenly_what_the_base_set_left(phases, train, seed):
    spec = InstanceDigits(phases=phases, train=train, seed=seed)
    stream = spec.stream()
    base, *later = (len(split) for split in stream.train)
    assert base == train // 2 and sum(later) == train - base
    assert max(later) - min(later) <= 1 and later == sorted(later, reverse=True)
    assert sorted(rows(stream.train)) == sorted(rows(whole(spec)[:1]))


def test_every_phase_is_judged_by_the_same_images_and_the_base_set_is_a_probe():
    spec = InstanceDigits(base_steps=7, steps=3, phases=2)
    stream = spec.stream()
    assert spec.clock().task_starts == (0, 7, 10) and spec.clock().steps == 13
    assert len(set(map(id, stream.validation))) == len(set(map(id, stream.test))) == 1
    assert list(stream.probes) == ["base"] and stream.probes["base"] is stream.train[0]
    assert all(len(split.y.unique()) == 10 for split in stream.train)


def test_instances_are_views_of_one_storage():
    stream = InstanceDigits().stream()
    tensors = [t for split in (*stream.train, stream.probes["base"]) for t in (split.x, split.y)]
    assert len({t.untyped_storage().data_ptr() for t in tensors}) == 2


@settings(deadline=None, max_examples=10)
@given(classes=st.integers(1, 10), seed=st.integers(0))
def test_recurring_tasks_show_all_images_of_their_classes_and_are_judged_on_every_class(
    classes, seed
):
    spec = ScoleDigits(classes=classes, seed=seed, tasks=12)
    stream = spec.stream()
    train, validation, test = whole(spec)
    for split in stream.train:
        shown = split.y.unique().tolist()
        assert len(shown) == classes
        assert sorted(rows([split])) == sorted(rows([train.only(train.y == c) for c in shown]))
    assert all(torch.equal(split.x, validation.x) for split in stream.validation)
    assert all(torch.equal(split.x, test.x) for split in stream.test)


def test_what_recurs_is_stored_once_and_a_longer_stream_begins_like_a_shorter_one():
    longer, shorter = ScoleDigits(tasks=200).stream(), ScoleDigits(tasks=20).stream()
    assert homes(shorter) == [list(range(10))] * 20
    shown = [tuple(split.y.unique().tolist()) for split in longer.train]
    assert shown[:20] == [tuple(split.y.unique().tolist()) for split in shorter.train]
    # 200 draws of 45 pairs: nearly all come, each held once, and one validation and one test set.
    assert 40 < len(set(shown)) == len(set(map(id, longer.train))) <= 45
    assert len({id(split) for split in (*longer.validation, *longer.test)}) == 2


@BLURRY
@settings(deadline=None, max_examples=30)
@given(
    tasks=st.integers(1, 10),
    disjoint=st.floats(0, 1),
    blur=st.floats(0, 0.9),
    seed=st.integers(0, 1000),
)
def test_blurry_classes_leave_their_share_and_others_stay_at_home(
    kind, tasks, disjoint, blur, seed
):
    spec = kind(tasks=tasks, disjoint=disjoint, blur=blur, seed=seed)
    stream = spec.stream()
    everything = whole(spec)[0]
    assert sorted(rows(stream.train)) == sorted(rows([everything]))
    at_home = homes(stream)
    assert len(at_home) == tasks and all(at_home)
    assert sorted(label for some in at_home for label in some) == list(range(10))
    counts = torch.stack([split.y.bincount(minlength=10) for split in stream.train])
    total, blurred = everything.y.bincount(minlength=10), 0
    for home, some in enumerate(at_home):
        for label in some:
            leaving = total[label] - counts[home, label]
            share = round(blur * total[label].item())
            # What is dealt out may come back home.
            assert leaving <= share and counts[home, label] >= total[label] - share
            blurred += leaving > 0
    assert blurred <= 10 - round(10 * disjoint)
    if tasks > 1 and round(blur * total.min().item()) > 20:
        assert blurred == 10 - round(10 * disjoint)


@BLURRY
def test_what_strays_is_dealt_out_evenly(kind):
    spec = kind(disjoint=0.3, blur=0.9, tasks=5, seed=3)
    stream = spec.stream()
    total = whole(spec)[0].y.bincount(minlength=10)
    counts = torch.stack([split.y.bincount(minlength=10) for split in stream.train])
    blurry = [c for c in range(10) if (counts[:, c] > 0).sum() > 1]
    assert len(blurry) == 7
    leaving = sum(round(0.9 * total[c].item()) for c in blurry)
    stayed = [
        sum(
            total[c].item() - round(0.9 * total[c].item()) if c in blurry else total[c].item()
            for c in some
        )
        for some in homes(stream)
    ]
    dealt = [len(split) - own for split, own in zip(stream.train, stayed, strict=True)]
    assert sum(dealt) == leaving and max(dealt) - min(dealt) <= 1


@BLURRY
def test_of_the_smallest_class_too_an_image_stays(kind):
    fewest = []
    for seed in range(40):
        spec = kind(train=50, blur=0.9, disjoint=0.0, tasks=10, seed=seed)
        stream = spec.stream()
        fewest.append(whole(spec)[0].y.bincount().min())
        for some, split in zip(homes(stream), stream.train, strict=True):
            assert set(some) <= set(split.y.tolist())
    assert min(fewest) == 4  # of which nine tenths, rounded, are all


def test_nothing_blurry_is_class_incremental():
    stream = BlurryDigits(disjoint=1.0).stream()
    assert [split.y.unique().tolist() for split in stream.train] == homes(stream)
    assert [len(some) for some in homes(stream)] == [2] * 5


@pytest.mark.parametrize("tasks", [2, 5])
def test_blurry_tasks_have_equally_many_classes_of_each_sort(tasks):
    for seed in range(5):
        stream = BlurryDigits(tasks=tasks, seed=seed, blur=0.5).stream()
        seen = torch.stack([split.y.bincount(minlength=10) > 0 for split in stream.train])
        blurry = set((seen.sum(0) > 1).nonzero().squeeze(1).tolist())
        numbers = [(len(some), len(blurry & set(some))) for some in homes(stream)]
        assert all(count == 10 // tasks for count, _ in numbers)
        loose = [own for _, own in numbers]
        assert sum(loose) == 5 and max(loose) - min(loose) <= 1


def test_si_blurry_tasks_differ_in_how_many_classes_they_have():
    sizes = {tuple(map(len, homes(SiBlurryDigits(seed=seed).stream()))) for seed in range(10)}
    assert len(sizes) > 5
    assert any(len(set(counts)) > 2 for counts in sizes)
