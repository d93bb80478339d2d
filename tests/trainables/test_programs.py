"""A traced program gives what it was traced from, to the last bit."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap

from trainables.graphs import simplify_
from trainables.programs import Program

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(5, 48, generator=RNG), torch.randn(7, 6, generator=RNG)


def loss(row, x):
    """Odd on purpose: products, a double transposition, a multiplication by 1, a reshape to itself."""
    w = row.view(8, 6).mT.mT * 1
    return (x @ w.view(8, 6).T).log_softmax(-1).square().mean()


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("of", [loss, grad(loss)], ids=["value", "gradient"])
def test_it_is_the_mapped_function(rows, of):
    program = Program(of, key=("test", of is loss), mapped=1)
    # Never fewer than two rows: see trainables/exactness.py.
    expected = vmap(of, in_dims=(0, None))(ROWS, X)[:rows]
    for _ in range(2):  # traced, then replayed
        assert torch.equal(program(ROWS[:rows], X), expected)


def test_programs_of_other_keys_are_kept_apart():
    one = Program(lambda row: row * 2, key="one", mapped=1)
    two = Program(lambda row: row * 4, key="two", mapped=1)
    assert torch.equal(one(ROWS) * 2, two(ROWS))


def test_idle_kernels_are_dropped_and_others_kept():
    def idle(x):
        return x.mul(1).view(5, 48).expand(5, 48).transpose(0, 1).transpose(-2, -1).exp()

    traced = simplify_(torch.fx.experimental.proxy_tensor.make_fx(idle)(ROWS))
    kernels = [n.target for n in traced.graph.nodes if n.op == "call_function"]
    # mul(x, 1) of a number is the tensor form, which is kept: it might promote the type.
    assert kernels[-1] == torch.ops.aten.exp.default and len(kernels) <= 2
    assert torch.equal(traced(ROWS), ROWS.exp())


def test_a_transposition_of_other_axes_is_kept():
    x = torch.randn(2, 3, 4, generator=RNG)

    def turned(x):
        return x.transpose(0, 1).transpose(1, 2)

    assert torch.equal(
        simplify_(torch.fx.experimental.proxy_tensor.make_fx(turned)(x))(x), turned(x)
    )
