"""The laws that every model keeps. A new model is tested by being registered."""

from __future__ import annotations

import pickle

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from tests.contracts.cases import specs_of
from trainables.learners import stacks
from trainables.models import Model
from trainables.scenarios.base import Shape

each_kind = pytest.mark.parametrize("kind", Model.kinds.values(), ids=Model.kinds)
few = settings(max_examples=10, deadline=None)
INPUTS = (2, 32, 32)  # an image large enough for every instance that is drawn
CLASSES = 5


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def built(spec, seed=0):
    return spec.build(INPUTS, CLASSES, rng(seed))


def batch(size=3):
    x = torch.randn(size, *INPUTS, generator=rng(9))
    return x, torch.arange(size) % CLASSES


@each_kind
@few
@given(data=st.data())
def test_weights_are_the_generators_alone(kind, data):
    spec = data.draw(specs_of(kind))
    state = torch.get_rng_state()
    one, same, other = built(spec), built(pickle.loads(pickle.dumps(spec))), built(spec, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert any(
        not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@each_kind
@few
@given(data=st.data())
def test_networks_are_plain_float32_and_stack_without_buffers(kind, data):
    spec = data.draw(specs_of(kind))
    net = built(spec)
    assert stacks(spec, Shape(INPUTS, CLASSES)) == (spec.stacks and not list(net.buffers()))
    assert not any(torch.isnan(buffer).any() for buffer in net.buffers())
    for weights in net.parameters():
        assert weights.dtype == torch.float32 and weights.device.type == "cpu"
        assert weights.requires_grad and weights.isfinite().all()


@each_kind
@few
@given(data=st.data())
def test_each_sample_is_judged_alone(kind, data):
    net = built(data.draw(specs_of(kind))).eval()
    x, _ = batch()
    logits = net(x)
    assert logits.shape == (3, CLASSES) and logits.isfinite().all()
    alone = torch.cat([net(sample) for sample in x.split(1)])
    torch.testing.assert_close(alone, logits, atol=1e-5, rtol=1e-4)


@each_kind
@few
@given(data=st.data())
def test_gradients_of_a_stack_are_the_members_own(kind, data):
    """In float64: in float32 a rounding can carry a unit across the kink of a ReLU."""
    spec, (x, y) = data.draw(specs_of(kind)), batch()
    assume(stacks(spec, Shape(INPUTS, CLASSES)))
    x, nets = x.double(), [built(spec, seed).double() for seed in range(3)]

    def loss(weights):
        return cross_entropy(functional_call(nets[0], weights, (x,)), y)

    names = [name for name, _ in nets[0].named_parameters()]
    stack = {n: torch.stack([net.get_parameter(n).detach() for net in nets]) for n in names}
    stacked = vmap(grad(loss))(stack)
    for member, net in enumerate(nets):
        cross_entropy(net(x), y).backward()
        for name, weights in net.named_parameters():
            torch.testing.assert_close(stacked[name][member], weights.grad)
