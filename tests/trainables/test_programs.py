"""A traced program gives what it was traced from, and each row the same bits among any others."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from trainables import products, programs
from trainables.graphs import call_directly_, simplify_
from trainables.programs import TRACES, Program

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(5, 400, generator=RNG), torch.randn(17, 20, generator=RNG)
Y = torch.arange(17) % 4


def loss(row, x):
    """Odd on purpose: products, a double transposition, a multiplication by 1, a reshape to itself."""
    w = row[:320].view(16, 20).mT.mT * 1
    logits = (x @ w.view(16, 20).T).relu() @ row[320:384].view(16, 4) + row[384:388]
    apart = (logits.softmax(-1) - torch.ones_like(logits) / 4).square().mean()
    return apart - logits.log_softmax(-1).gather(-1, Y.unsqueeze(-1)).mean()


def kernels(traced):
    return [n.target for n in traced.graph.nodes if n.op == "call_function"]


@pytest.mark.parametrize("of", [loss, grad(loss)], ids=["value", "gradient"])
def test_it_is_the_mapped_function_up_to_rounding(of):
    program = Program(of, key=("test", of is loss), mapped=1)
    for _ in range(2):  # traced, then replayed
        torch.testing.assert_close(program(ROWS, X), vmap(of, in_dims=(0, None))(ROWS, X))


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("of", [loss, grad(loss)], ids=["value", "gradient"])
def test_a_row_has_the_same_bits_among_any_others(of, threads):
    program = Program(of, key=("test", of is loss), mapped=1)
    whole = program(ROWS, X)
    for rows in range(1, 5):
        assert torch.equal(program(ROWS[:rows], X), whole[:rows])
        assert torch.equal(program(ROWS.flip(0)[:rows], X), whole.flip(0)[:rows])


def test_a_lone_row_is_computed_twice_over_only_where_it_must_be(threads, monkeypatch):
    """Where it is not a routine's."""
    monkeypatch.setattr(products, "compiles", lambda: False)

    def of(row, x):
        return (x @ row[: x.shape[1] * 4].view(-1, 4)).relu().sum()

    vector = X[:1]
    for x, function, alike in ((X, of, True), (vector, of, False), (X, torch.sin, False)):
        program = Program(
            lambda row, x, f=function: f(row, x) if f is of else f(row), f"{alike}{len(x)}", 1
        )
        program(ROWS[:1], x)
        lone = [traced for shapes, traced in program._own.items() if shapes[1][0] == 1]
        assert [traced is not None for traced in lone] == [alike]
        assert torch.equal(program(ROWS[:1], x), program(ROWS, x)[:1])


def test_programs_of_other_keys_are_kept_apart():
    one = Program(lambda row: row * 2, key="one", mapped=1)
    two = Program(lambda row: row * 4, key="two", mapped=1)
    assert torch.equal(one(ROWS) * 2, two(ROWS))


def test_only_the_programs_used_last_are_kept():
    for width in range(1, TRACES + 3):
        for used in (width, 1):
            x = torch.ones(2, used)
            program = Program(lambda row: row.sin(), key="bound", mapped=1)
            assert torch.equal(program(x), x.sin())
    kept = [key[1][1][1] for key in programs.TRACED if key[0] == "bound"]
    assert len(programs.TRACED) == TRACES and 1 in kept and 2 not in kept


def test_idle_kernels_are_dropped_and_others_kept():
    def idle(x):
        return x.mul(1).view(5, 400).expand(5, 400).transpose(0, 1).transpose(-2, -1).exp()

    traced = simplify_(make_fx(idle)(ROWS), [ROWS])
    # mul(x, 1) of a number is the tensor form, which is kept: it might promote the type.
    assert kernels(traced)[-1] == torch.ops.aten.exp.default and len(kernels(traced)) <= 2
    assert torch.equal(traced(ROWS), ROWS.exp())


def test_a_transposition_of_other_axes_is_kept():
    x = torch.randn(2, 3, 4, generator=RNG)

    def turned(x):
        return x.transpose(0, 1).transpose(1, 2)

    assert torch.equal(simplify_(make_fx(turned)(x), [x])(x), turned(x))


def test_what_shapes_alone_decide_is_computed_once():
    def of(x):
        return x + x.new_zeros(400).add(2).exp() + torch.ones_like(x[0])

    traced = simplify_(make_fx(of)(ROWS), [ROWS])
    assert len(kernels(traced)) == 2
    assert torch.equal(traced(ROWS), of(ROWS)) and torch.equal(traced(ROWS * 3), of(ROWS * 3))


def test_kernels_called_directly_give_the_same_bits():
    given = torch.rand(5, 17, 4, generator=RNG), torch.rand(5, 4, 20, generator=RNG)

    def of(a, b):
        product = (a @ b).relu().sub(1).mul(b[:, :1]).exp().neg()
        chosen = torch.where(product < -1, product, product.log_softmax(-1))
        part = chosen.unsqueeze(1).expand(5, 2, 17, 20).permute(1, 0, 3, 2).sum([0, 1])
        return (part / 3).view(4, -1).split_with_sizes([50, 35], 1)[1]

    slow, fast = simplify_(make_fx(of)(*given), given), simplify_(make_fx(of)(*given), given)
    assert torch.equal(call_directly_(fast, given)(*given), slow(*given))
    torch.testing.assert_close(slow(*given), of(*given))


def test_what_is_written_to_is_no_constant():
    def of(x):
        canvas = x.new_zeros(5, 400)
        canvas[1:3] = x[:2]
        return canvas + torch.ops.aten.mul.Scalar(x, 1).relu_()

    traced = simplify_(make_fx(of)(ROWS.clone()), [ROWS.clone()])
    for x in (ROWS, ROWS + 1, ROWS):
        given = x.clone()
        assert torch.equal(traced(given), of(x.clone())) and torch.equal(given, x)


def test_parts_of_an_answer_are_written_where_they_belong():
    a, b = torch.randn(3, 4, 5, generator=RNG), torch.randn(3, 5, 6, generator=RNG)

    def joined(a, b):
        product = torch.bmm(a, b)
        parts = product.flatten(1), a.sum(1), b.exp().flatten(1), torch.zeros(3, 2)
        return torch.cat([*parts, product[:, 0]], 1)

    traced = simplify_(make_fx(joined)(a, b), [a, b])
    assert torch.ops.aten.cat.default not in kernels(traced)
    first = traced(a, b)
    assert torch.equal(first, joined(a, b))
    traced(b.mT.contiguous()[:, :4], a.mT.contiguous().new_ones(3, 5, 6))
    assert torch.equal(first, joined(a, b))  # a later call leaves it alone


def test_what_is_read_no_more_is_written_over_and_nothing_else():
    a, b = torch.randn(3, 4, 5, generator=RNG), torch.randn(3, 5, 6, generator=RNG)

    def of(a, b):
        product = torch.bmm(a, b)
        seen = product.transpose(1, 2)  # a view that is read at the end
        raised = product + 1
        halved = raised.relu() * 0.5
        part = halved.exp()[:, :1].expand(3, 4, 6) - 1  # the same numbers several times
        square = torch.bmm(a, 2 * b)[:, :, :4].exp()
        own = square - square.transpose(1, 2)  # two views of the same numbers
        whole = (a.relu() - 1).sum(2, keepdim=True) + halved + seen.transpose(1, 2)
        return whole + part + torch.bmm(own, b[:, :4])

    given = a.clone(), b.clone()
    traced = simplify_(make_fx(of)(a, b), [a, b])
    assert {torch.ops.aten.relu_.default, torch.ops.aten.add.out} < set(kernels(traced))
    for _ in range(2):
        assert torch.equal(traced(a, b), of(a, b))
        assert torch.equal(a, given[0]) and torch.equal(b, given[1])
