"""Two traces tell that of any number of rows; what they cannot tell is traced."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from trainables import products, programs
from trainables.moulds import Mould, UnlikeError, merged
from trainables.programs import Program

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(9, 88, generator=RNG), torch.randn(17, 20, generator=RNG)


def loss(row, x):
    logits = (x @ row[:80].view(4, 20).T).relu() + row[80:84]
    return (logits.softmax(-1) - 0.25).square().mean() * row[84:].sum()


mapped = make_fx(vmap(grad(loss), in_dims=(0, None)))


class Tracer:
    """Counts how often it is asked."""

    def __init__(self, of=mapped):
        self.asked, self._of = [], of

    def __call__(self, mould, rows):
        def trace():
            self.asked.append(rows)
            return self._of(ROWS[:rows], X)

        return mould.of((ROWS[:rows], X), trace)


def test_from_the_third_number_of_rows_on_nothing_is_traced():
    mould, tracer = Mould(), Tracer()
    for rows in (4, 4, 3, 9, 2, 7, 4):
        made = tracer(mould, rows)
        assert str(made.graph) == str(mapped(ROWS[:rows], X).graph)
        assert torch.equal(made(ROWS[:rows], X), mapped(ROWS[:rows], X)(ROWS[:rows], X))
    assert tracer.asked == [4, 4, 3]


def test_what_was_made_may_be_rewritten():
    mould, tracer = Mould(), Tracer()
    for rows in (4, 3, 9, 9, 4):
        made = tracer(mould, rows)
        expected = str(mapped(ROWS[:rows], X).graph)
        assert str(made.graph) == expected
        for node in reversed(made.graph.nodes):  # another's graph would be gone as well
            made.graph.erase_node(node)


def test_traces_of_other_kernels_are_no_mould():
    def odd(rows, x):
        return mapped(rows, x) if len(rows) < 4 else make_fx(lambda r, x: r + x.sum())(rows, x)

    mould, tracer = Mould(), Tracer(odd)
    for rows in (2, 5, 3, 6):
        assert str(tracer(mould, rows).graph) == str(odd(ROWS[:rows], X).graph)
    assert tracer.asked == [2, 5, 3, 6]


@pytest.mark.parametrize(
    "of",
    [
        lambda rows, _: rows * torch.tensor([len(rows)]),
        lambda rows, _: rows * float(len(rows)),
        lambda rows, _: rows.sum(0, keepdim=len(rows) > 3),
    ],
    ids=["constant", "float", "flag"],
)
def test_what_grows_otherwise_is_refused(of):
    few, many = (make_fx(of)(ROWS[:n], X) for n in (2, 5))
    with pytest.raises(UnlikeError):
        merged(2, few, 5, many)


def test_a_program_casts_what_rounds_as_if_traced(threads, monkeypatch):
    """With and without moulds the same bits, for every number of rows; where programs are no routines."""
    monkeypatch.setattr(products, "compiles", lambda: False)
    by_mould = Program(grad(loss), key="mould", mapped=1)
    found = [by_mould(ROWS[:rows], X) for rows in (4, 3, 9, 2, 6)]
    assert [m._given is not None for m in programs.MOULDS.values()].count(True) >= 1
    monkeypatch.setattr(Mould, "of", lambda mould, arguments, trace: trace())
    by_trace = Program(grad(loss), key="traced", mapped=1)
    for rows, told in zip((4, 3, 9, 2, 6), found, strict=True):
        assert torch.equal(by_trace(ROWS[:rows], X), told)
