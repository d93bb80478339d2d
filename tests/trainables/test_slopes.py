"""Slopes are those of ``torch.func.grad``: the same kernels in the same order, hence the same bits."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap
from torch.utils.checkpoint import checkpoint

from trainables.slopes import slope, slope_and_rest
from trainables.tracing import traced

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(5, 70, generator=RNG), torch.randn(9, 7, generator=RNG)
Y = torch.arange(9) % 10


def perceptron(row, x):
    return torch.nn.functional.cross_entropy((x @ row.view(7, 10)).relu(), Y)


def convolved(row, x):
    images = x[:, :4].reshape(9, 1, 2, 2)
    return torch.nn.functional.conv2d(images, row[:4].view(1, 1, 2, 2), padding=1).square().sum()


def unmoved(row, x):
    with torch.no_grad():
        held = row.exp()
    return (x.sum() * held).sum()


def stepped(of):
    """A step within a loss: a slope of a slope."""
    return lambda row, x: (row - 0.1 * of(perceptron)(row, x)).square().sum()


def beside(row, x):
    return perceptron(row, x), [row * 2, x.sum(0)]


@pytest.mark.parametrize("of", [perceptron, convolved, unmoved], ids=lambda of: of.__name__)
@pytest.mark.parametrize("mapped", ["rows", "rows and samples"])
def test_the_kernels_are_those_of_pytorchs_own(of, mapped):
    assert same(*(ways(g(of), mapped) for g in (slope, grad)))


def test_slopes_nest():
    assert same(*(ways(g(stepped(g)), "rows") for g in (slope, grad)))


def ways(of, mapped):
    if mapped == "rows":
        return vmap(of, in_dims=(0, None))
    return vmap(vmap(lambda row, x: of(row, x.expand(9, -1)), in_dims=(None, 0)), in_dims=(0, None))


def same(ours, theirs):
    graphs = [traced(of, ROWS, X) for of in (ours, theirs)]
    calls = [[(n.op, n.target) for n in g.graph.nodes] for g in graphs]
    return calls[0] == calls[1] and torch.equal(ours(ROWS, X), theirs(ROWS, X))


def test_what_else_a_function_gives_comes_along():
    ours, theirs = slope_and_rest(beside), grad(beside, has_aux=True)
    (at, (doubled, total)), (expected, rest) = ours(ROWS[0], X), theirs(ROWS[0], X)
    assert torch.equal(at, expected)
    assert torch.equal(doubled, rest[0]) and torch.equal(total, rest[1])
    assert not any(t.requires_grad for t in (at, doubled, total))


@torch.no_grad()
def test_whether_slopes_are_kept_outside_does_not_matter():
    assert torch.equal(slope(perceptron)(ROWS[0], X), grad(perceptron)(ROWS[0], X))


def test_a_slope_that_is_not_there_is_0():
    assert torch.equal(slope(unmoved)(ROWS[0], X), torch.zeros(70))
    assert torch.equal(slope(lambda a, b: b.sum())(ROWS[0], X), torch.zeros(70))
    needs = X.clone().requires_grad_()
    assert torch.equal(slope(lambda a, b: b.sum())(ROWS[0], needs), torch.zeros(70))


def test_more_than_a_number_has_no_slope():
    with pytest.raises(RuntimeError, match="scalar"):
        slope(lambda row, x: row)(ROWS[0], X)


def test_hooks_on_saved_tensors_are_refused():
    def kept(row, x):
        return checkpoint(perceptron, row, x, use_reentrant=False)

    with pytest.raises(RuntimeError, match="hooks on saved tensors"):
        slope(kept)(ROWS[0], X)
