"""What each scenario promises beyond the laws that all of them keep."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import chain

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy

from trainables.scenarios import Scenario, digits
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.scenarios.split_digits import SplitDigits

SIZES = st.fixed_dictionaries(
    {"train": st.integers(50, 1400), "validation": st.integers(50, 300), "seed": st.integers(0)}
)


def rows(x):
    return {bytes(row) for row in x.flatten(1).numpy()}


def test_digits_are_scikit_learns():
    pixels, labels = load_digits(return_X_y=True)
    read, read_labels = digits._table()
    assert (read == pixels).all() and (read_labels == labels).all()


def test_digits_are_found_where_scikit_learn_has_moved_them(monkeypatch, tmp_path):
    here = digits._table()
    monkeypatch.setattr(digits, "_file", lambda: tmp_path / "gone")
    there = digits._table.__wrapped__()
    assert all((a == b).all() for a, b in zip(here, there, strict=True))


def test_missing_scikit_learn_is_named(monkeypatch):
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="digits come with scikit-learn"):
        digits._file()


def test_digits_come_without_the_weight_of_scikit_learn():
    code = (
        "import sys; from trainables.scenarios.split_digits import SplitDigits;"
        "SplitDigits().stream(); assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(deadline=None, max_examples=20)
@given(sizes=SIZES)
def test_parts_are_all_the_images_once_and_each_class_has_its_share(sizes):
    parts = digits.parts(**sizes)
    assert [len(p.y) for p in parts[:2]] == [sizes["train"], sizes["validation"]]
    pixels, _ = digits._table()
    together = torch.cat([p.x for p in parts])
    assert sorted(map(tuple, (together * 16).flatten(1).tolist())) == sorted(
        map(tuple, pixels.tolist())
    )
    share = torch.cat([p.y for p in parts]).bincount() / len(together)
    for part in parts:
        assert ((part.y.bincount(minlength=10) - share * len(part.y)).abs() <= 2).all()


def test_parts_differ_between_seeds():
    one, other = (digits.parts(train=1200, validation=300, seed=seed)[2] for seed in (0, 1))
    assert not torch.equal(one.x, other.x)


def test_rotation_agrees_with_quarter_turns():
    stream = RotatedDigits(tasks=4, degrees=90).stream()
    for task, split in enumerate(stream.train):
        turned = torch.rot90(stream.train[0].x, task, dims=(2, 3))
        torch.testing.assert_close(split.x, turned, atol=1e-6, rtol=0)


def test_task_that_comes_full_circle_is_the_task_it_returns_to():
    stream = RotatedDigits(tasks=4, degrees=120).stream()
    assert torch.equal(stream.train[0].x, stream.train[3].x)
    assert not torch.equal(stream.train[0].x, stream.train[1].x)


@settings(deadline=None, max_examples=5)
@given(sizes=SIZES)
def test_first_task_is_the_images_as_they_are_and_every_task_shows_the_same_ones(sizes):
    stream = RotatedDigits(tasks=3, **sizes).stream()
    upright = RotatedDigits(tasks=3, degrees=0, **sizes).stream()
    for part, images in zip(
        (stream.train, stream.validation, stream.test), digits.parts(**sizes), strict=True
    ):
        assert torch.equal(part[0].x, images.x.float())
        assert all(torch.equal(split.y, images.y) for split in part)
    # Turned by nothing, each image is in each task, so that no part's images are in another's.
    train, validation, test = (
        set.union(*(rows(split.x) for split in part))
        for part in (upright.train, upright.validation, upright.test)
    )
    assert not (train & validation or train & test or validation & test)
    assert len(train) == sizes["train"] and len(validation) == sizes["validation"]


@pytest.mark.parametrize("tasks", [1, 2, 5, 10])
@pytest.mark.parametrize("order", ["natural", "shuffled"])
def test_split_digits_brings_each_class_once(tasks, order):
    stream = SplitDigits(tasks=tasks, order=order).stream()
    brought = [split.y.unique().tolist() for split in stream.train]
    assert [len(classes) for classes in brought] == [10 // tasks] * tasks
    assert sorted(chain.from_iterable(brought)) == list(range(10))
    for part in (stream.validation, stream.test):
        assert [split.y.unique().tolist() for split in part] == brought


def test_natural_order_is_zero_to_nine_and_shuffled_order_is_the_seeds():
    def classes(spec):
        return [split.y.unique().tolist() for split in spec.stream().train]

    assert classes(SplitDigits()) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    shuffled = SplitDigits(order="shuffled", tasks=10)
    assert classes(shuffled) == classes(shuffled) != classes(replace(shuffled, seed=1))


def test_masks_are_the_tasks_own_classes():
    assert SplitDigits().stream().masks is None
    stream = SplitDigits(incremental="task").stream()
    assert stream.masks.shape == (5, 10) and stream.masks.dtype == torch.bool
    assert torch.equal(stream.masks.sum(0), torch.ones(10, dtype=torch.int64))
    for mask, split in zip(stream.masks, stream.train, strict=True):
        assert mask.nonzero().squeeze(1).tolist() == split.y.unique().tolist()


@pytest.mark.parametrize("order", ["natural", "shuffled"])
def test_domain_increments_ask_for_a_digits_place_in_its_task(order):
    spec = SplitDigits(incremental="domain", order=order)
    stream, named = spec.stream(), SplitDigits(order=order).stream()
    assert spec.shape() == ((1, 8, 8), 2)
    for part, other in ((stream.train, named.train), (stream.test, named.test)):
        for split, own in zip(part, other, strict=True):
            low, high = own.y.unique().tolist()
            assert torch.equal(split.x, own.x)
            assert torch.equal(split.y == 1, own.y == high)
            assert torch.equal(split.y == 0, own.y == low)


def test_sizes_of_split_digits_are_totals():
    stream = SplitDigits(train=1000, validation=200).stream()
    sizes = [sum(map(len, p)) for p in (stream.train, stream.validation, stream.test)]
    assert sizes == [1000, 200, 597]


def test_blobs_drift_from_task_to_task():
    still, moved = (Blobs(drift=drift, train=4000).stream() for drift in (0, 5))

    def means(split):
        return torch.stack([split.x[split.y == c].mean(0) for c in range(4)])

    def shift(stream):
        return (means(stream.train[1]) - means(stream.train[0])).norm(dim=1)

    assert (shift(still) < 0.5).all()
    torch.testing.assert_close(shift(moved), torch.full((4,), 5.0), atol=0.5, rtol=0)


def test_blobs_hold_every_class_equally_often():
    counts = Blobs(train=10, classes=4).stream().train[0].y.bincount()
    assert counts.tolist() == [3, 3, 2, 2]


@pytest.mark.parametrize(
    "spec, said",
    [
        ({"kind": "split_digits", "tasks": 3}, "1, 2, 5 or 10"),
        ({"kind": "split_digits", "tasks": 10, "incremental": "task"}, "leaves nothing to choose"),
        ({"kind": "split_digits", "tasks": 10, "incremental": "domain"}, "at most 5 tasks"),
        ({"kind": "scole_digits", "classes": 11}, "less than or equal to 10"),
        ({"kind": "blurry_digits", "blur": 1.0}, "less than or equal to 0.9"),
        ({"kind": "si_blurry_digits", "tasks": 11}, "less than or equal to 10"),
        ({"kind": "rotated_digits", "train": 1500}, "less than or equal to 1400"),
        ({"kind": "rotated_digits", "validation": 301}, "less than or equal to 300"),
        ({"kind": "rotated_digits", "tasks": 0}, "greater than or equal to 1"),
        ({"kind": "rotated_digits", "degrees": -1}, "greater than or equal to 0"),
        ({"kind": "rotated_digits", "seed": -1}, "greater than or equal to 0"),
        ({"kind": "blobs", "classes": 1}, "greater than or equal to 2"),
        ({"kind": "blobs", "steps": 0}, "greater than or equal to 1"),
    ],
)
def test_impossible_fields_are_refused(spec, said):
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Scenario).validate_python(spec)


def test_a_linear_model_learns_upright_digits():
    """The labels belong to the images: least effort gets most of the unseen ones right."""
    stream = RotatedDigits(tasks=1).stream()
    weights = torch.zeros(65, 10, requires_grad=True)

    def logits(split):
        return torch.nn.functional.pad(split.x.flatten(1), (0, 1), value=1.0) @ weights

    for _ in range(60):
        loss = cross_entropy(logits(stream.train[0]), stream.train[0].y)
        (gradient,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            weights -= gradient
    for split in (stream.validation[0], stream.test[0]):
        assert (logits(split).argmax(1) == split.y).float().mean() > 0.9


@pytest.mark.parametrize("label", [-1, 10])
def test_labels_that_are_no_classes_are_refused(label):
    stream = RotatedDigits(tasks=2, steps=3).stream()
    y = stream.train[1].y.clone()
    y[7] = label
    with pytest.raises(ValueError, match="task 1: labels are whole numbers from 0 to 9"):
        replace(stream, train=(stream.train[0], replace(stream.train[1], y=y)))
