"""What is traced is what PyTorch's own tracer finds, kernel by kernel."""

from __future__ import annotations

import operator

import pytest
import torch
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from trainables.tracing import propagate, traced

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(5, 400, generator=RNG), torch.randn(17, 20, generator=RNG)
Y, HELD = torch.arange(17) % 4, torch.rand(17, 4, generator=RNG)


def loss(row, x):
    """Views, constants, reductions, parts of a tuple and something written in place."""
    w, bias, rest = row.split([336, 4, 60])
    hidden = (x @ w[:320].view(20, 16)).relu()
    logits = torch.nn.functional.linear(hidden, rest.repeat(2)[:64].view(4, 16), bias)
    smooth = (logits.softmax(-1) - HELD - torch.ones_like(logits) / 4).relu_().mean()
    return smooth - logits.log_softmax(-1).gather(-1, Y.unsqueeze(-1)).max(0)[0].mean()


def convolved(row, x):
    images = x[:, :16].reshape(17, 1, 4, 4)
    return torch.nn.functional.conv2d(images, row[:36].view(4, 1, 3, 3), padding=1).square().sum()


@pytest.mark.parametrize(
    "of", [loss, grad(loss), grad(convolved)], ids=["value", "slope", "convolution"]
)
def test_the_same_kernels_in_the_same_order_as_pytorch_finds(of):
    mapped = vmap(of, in_dims=(0, None))
    ours, theirs = traced(mapped, ROWS, X), make_fx(mapped)(ROWS, X)
    assert [n.target for n in kernels(ours)] == [n.target for n in kernels(theirs)]
    for a, b in zip(kernels(ours), kernels(theirs), strict=True):
        if "tensor_meta" in b.meta:  # not of tuples
            assert a.meta["tensor_meta"] == b.meta["tensor_meta"][:2]
    assert torch.equal(ours(ROWS, X), theirs(ROWS, X))
    others = torch.randn(5, 400, generator=RNG)
    assert torch.equal(ours(others, X), theirs(others, X))


def kernels(graph):
    """Without those that take a tuple apart: ours are of tensors alone."""
    calls = (n for n in graph.graph.nodes if n.op == "call_function")
    return [n for n in calls if n.target is not operator.getitem]


def test_what_is_known_of_tensors_is_learnt_again():
    graph = traced(torch.mul, ROWS, ROWS)
    propagate(graph, (ROWS[:2], ROWS[:2]))
    assert all(n.meta["tensor_meta"].shape == (2, 400) for n in kernels(graph))


def test_what_depends_on_numbers_is_refused():
    with pytest.raises(RuntimeError, match="depends on a number in a tensor"):
        traced(lambda x: x * x.sum().item(), X)
