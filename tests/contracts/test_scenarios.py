"""The laws that every scenario keeps. A new scenario is tested by being registered."""

from __future__ import annotations

import hashlib
import pickle
import random
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.cases import specs_of
from trainables.scenarios import Scenario
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.wrapper import Wrapper

each_kind = pytest.mark.parametrize("kind", Scenario.kinds.values(), ids=Scenario.kinds)
few = settings(max_examples=10, deadline=None)
PARTS = ("train", "validation", "test")


def plain(kind):
    """The instance whose fields are all at their defaults; a wrapper holds the blobs."""
    return kind(of=Blobs(train=640)) if issubclass(kind, Wrapper) else kind()


def reseeded(spec):
    if "seed" in {field.name for field in fields(spec)}:
        return replace(spec, seed=spec.seed + 1)
    return replace(spec, of=reseeded(spec.of))


def splits(stream):
    return [*(s for part in PARTS for s in getattr(stream, part)), *stream.probes.values()]


def tensors(stream):
    for split in splits(stream):
        yield from (split.x, split.y)
    if stream.masks is not None:
        yield stream.masks
    yield from stream.true_labels or ()


def images(splits):
    return {bytes(row) for split in splits for row in split.x.flatten(1).numpy()}


def global_state():
    numpys = np.random.get_state()  # noqa: NPY002  # the state that nobody should use
    return random.getstate(), bytes(numpys[1]), bytes(torch.get_rng_state())


def digest(stream):
    return hashlib.sha256(b"".join(t.numpy().tobytes() for t in tensors(stream))).hexdigest()


@each_kind
@few
@given(data=st.data())
def test_same_fields_give_the_same_data_and_leave_the_global_state(kind, data):
    spec = data.draw(specs_of(kind))
    torch.manual_seed(0)
    first = spec.stream()
    torch.manual_seed(1)
    state = global_state()
    second = pickle.loads(pickle.dumps(spec)).stream()
    assert global_state() == state
    assert digest(first) == digest(second)


@pytest.fixture(scope="module")
def elsewhere(pytestconfig):
    """The digests of the kinds' default data, as another process finds them."""
    code = (
        "from tests.contracts.test_scenarios import Scenario, digest, plain;"
        "print(*(f'{n} {digest(plain(k).stream())}' for n, k in Scenario.kinds.items()), sep='\\n')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split() for line in run.stdout.splitlines())


@each_kind
def test_same_data_in_another_process(kind, elsewhere):
    (name,) = (name for name, each in Scenario.kinds.items() if each is kind)
    assert elsewhere[name] == digest(plain(kind).stream())


@each_kind
@few
@given(data=st.data())
def test_clock_is_known_without_the_data_and_is_the_streams(kind, data):
    spec = data.draw(specs_of(kind))
    clock, stream = spec.clock(), spec.stream()
    assert spec.shape() == (stream.inputs, stream.classes)
    assert stream.clock == clock
    tasks = len(list(clock.tasks()))
    assert [len(getattr(stream, part)) for part in PARTS] == [tasks] * 3
    assert (stream.masks is None) == (spec.increment() != "task")
    assert stream.masks is None or stream.masks.shape == (tasks, stream.classes)
    assert spec.boundaries() == spec.stream().boundaries and spec.once() == spec.stream().once


@each_kind
@few
@given(data=st.data())
def test_splits_are_sound(kind, data):
    stream = data.draw(specs_of(kind)).stream()
    for split in splits(stream):
        assert split.x.dtype == torch.float32 and split.y.dtype == torch.int64
        assert split.x.shape == (len(split.y), *stream.inputs) and len(split) > 0
        assert split.x.isfinite().all()
        assert split.y.min() >= 0 and split.y.max() < stream.classes
    if stream.masks is not None:
        for part in PARTS:
            for mask, split in zip(stream.masks, getattr(stream, part), strict=True):
                assert mask[split.y].all()


@each_kind
@few
@given(data=st.data())
def test_true_labels_stand_beside_those_trained_on(kind, data):
    stream = data.draw(specs_of(kind)).stream()
    if stream.true_labels is not None:
        for task, (split, true) in enumerate(zip(stream.train, stream.true_labels, strict=True)):
            assert true.shape == split.y.shape and true.dtype == torch.int64
            assert true.min() >= 0 and true.max() < stream.classes
            assert stream.masks is None or stream.masks[task][true].all()


@each_kind
@few
@given(data=st.data())
def test_train_validation_and_test_share_no_sample(kind, data):
    stream = data.draw(specs_of(kind)).stream()
    train, validation, test = (images(getattr(stream, part)) for part in PARTS)
    assert not (train & validation or train & test or validation & test)
    assert not images(stream.probes.values()) & (validation | test)


@each_kind
def test_another_seed_is_another_stream(kind):
    spec = plain(kind)
    assert digest(spec.stream()) != digest(reseeded(spec).stream())


@each_kind
@few
@given(data=st.data(), seed=st.integers(0, 2**70), size=st.integers(1, 100))
def test_batches_go_through_each_epoch_once(kind, data, seed, size):
    stream = replace(data.draw(specs_of(kind)).stream(), once=False)
    state = global_state()
    batches = stream.batch_indices(seed=seed, size=size)
    assert global_state() == state
    for index, task, split in zip(batches, stream.clock.tasks(), stream.train, strict=True):
        assert index.shape == (task.steps, size) and index.dtype == torch.int64
        for epoch in index.flatten().split(len(split)):
            assert len(epoch.unique()) == len(epoch)
            assert epoch.min() >= 0 and epoch.max() < len(split)


@each_kind
@few
@given(data=st.data(), seed=st.integers(0, 2**70), size=st.integers(1, 40))
def test_order_of_samples_is_the_seeds_alone(kind, data, seed, size):
    stream = replace(data.draw(specs_of(kind)).stream(), once=False)
    batches = stream.batch_indices(seed=seed, size=size)
    again = stream.batch_indices(seed=seed, size=size)
    larger = stream.batch_indices(seed=seed, size=size + 3)
    for one, other, longer in zip(batches, again, larger, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one.flatten(), longer.flatten()[: one.numel()])


@each_kind
@few
@given(data=st.data(), size=st.integers(1, 20))
def test_where_each_sample_is_seen_once_no_batch_brings_it_again(kind, data, size):
    stream = replace(data.draw(specs_of(kind)).stream(), once=True)
    taken = [task.steps * size for task in stream.clock.tasks()]
    if any(count > len(split) for count, split in zip(taken, stream.train, strict=True)):
        with pytest.raises(ValueError, match="each training sample is seen once, but task"):
            stream.batch_indices(seed=0, size=size)
    else:
        for index in stream.batch_indices(seed=0, size=size):
            assert len(index.unique()) == index.numel()


@each_kind
def test_batches_differ_between_seeds_and_tasks(kind):
    stream = plain(kind).stream()
    here, there = (stream.batch_indices(seed=seed, size=8) for seed in (0, 1))
    assert not torch.equal(here[0], there[0])
    assert not torch.equal(here[0][0], here[1][0])


@each_kind
def test_stream_moves_whole(kind):
    here = plain(kind).stream()
    stream = here.to("meta")
    assert all(tensor.device.type == "meta" for tensor in tensors(stream))
    assert len(set(map(id, splits(stream)))) == len(set(map(id, splits(here))))
    assert stream.batch_indices(seed=0, size=2)[0].device.type == "meta"
