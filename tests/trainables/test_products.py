"""Compiled products: the numbers of a plain chain, to the last bit, however and beside whatever matrices lie."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.products import chained
from trainables import binding, microkernels, products
from trainables.layouts import call_compiled_
from trainables.microkernels import tiles
from trainables.products import AS_THEY_ARE, multiplied, product_of
from trainables.programs import Program

pytestmark = pytest.mark.usefixtures("threads")

SIZES = st.sampled_from([1, 2, 3, 5, 8, 10, 13, 16, 17, 31, 32, 33, 48, 65])
LAYOUTS = ["rows", "columns", "apart", "strided", "shared"]


def product(a, b, **beside):
    return product_of(AS_THEY_ARE)(a, b, **beside)


def laid(matrices, layout):
    """The same [M, p, q], lying another way in memory."""
    count, p, q = matrices.shape
    if layout == "columns":
        return matrices.mT.contiguous().mT
    if layout == "apart":
        return torch.cat([matrices, matrices.new_zeros(count, p, 3)], dim=2)[:, :, :q]
    if layout == "strided":
        return matrices.repeat_interleave(2, dim=2)[:, :, ::2]
    if layout == "shared":
        return matrices[:1].expand(count, p, q)
    return matrices.contiguous()


@st.composite
def factors(draw):
    """Two stacks, each lying in one of the ways."""
    count, m, k, n = draw(st.integers(1, 4)), draw(SIZES), draw(SIZES), draw(SIZES)
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    a, b = torch.randn(count, m, k, generator=rng), torch.randn(count, k, n, generator=rng)
    return laid(a, draw(st.sampled_from(LAYOUTS))), laid(b, draw(st.sampled_from(LAYOUTS)))


@settings(max_examples=25, deadline=None)
@given(factors(), st.sampled_from([None, False, True, *LAYOUTS[:4]]))
def test_each_number_depends_on_its_row_and_its_column_alone(given_, where):
    a, b = given_
    if where in LAYOUTS:
        out = laid(torch.full((len(a), a.shape[1], b.shape[2]), torch.nan), where)
        assert product(a, b, out=out) is out
        c = out
    else:
        c = product(a, b, turned=where)
    assert c.shape == (len(a), a.shape[1], b.shape[2])
    most = (a.double().abs() @ b.double().abs()) * a.shape[2] * 2**-24
    assert ((c - a.double() @ b.double()).abs() <= most).all()
    i, j, z = a.shape[1] // 2, b.shape[2] // 3, len(a) - 1
    alone = product(a[z:, i : i + 1].contiguous(), b[z:, :, j : j + 1].contiguous())
    assert torch.equal(alone[0, 0, 0], c[z, i, j])
    assert torch.equal(product(a[z:], b[z:].contiguous())[0], c[z])


@pytest.mark.parametrize("depth", [3, 256])
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_it_is_a_chain_of_sums_that_are_rounded_once(depth, layout, monkeypatch):
    monkeypatch.setattr(microkernels, "DEPTH", depth)
    products._code.cache_clear()
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 7, 11, generator=rng), torch.randn(2, 11, 18, generator=rng)
    c = product(laid(a, layout), laid(b, layout))
    products._code.cache_clear()
    for z in range(2):
        assert (c[z].numpy() == chained(a[z].numpy(), b[z].numpy())).all()


@settings(max_examples=25, deadline=None)
@given(
    factors(),
    st.sampled_from([None, "along", "down", "neither"]),
    st.booleans(),
    st.sampled_from([None, *LAYOUTS]),
    st.sampled_from([None, False, True, *LAYOUTS[:4]]),
)
def test_what_is_done_to_sums_is_what_would_be_done_to_the_product(given_, bias, relu, mask, where):
    a, b = given_
    count, m, n = len(a), a.shape[1], b.shape[2]
    rng = torch.Generator().manual_seed(1)
    expected, beside = product(a, b), {}
    if bias is not None:
        shape = {"along": (count, 1, n), "down": (count, m, 1), "neither": (count, m, n)}[bias]
        beside["bias"] = torch.randn(shape, generator=rng).expand(count, m, n)
        expected = expected + beside["bias"]
    expected = expected.relu() if relu else expected
    if mask is not None:
        beside["mask"] = laid(torch.randn(count, m, n, generator=rng).relu(), mask)
        expected = expected.where(beside["mask"] > 0, 0)
    if where in LAYOUTS:
        beside["out"] = laid(torch.full((count, m, n), torch.nan), where)
    elif where is not None:
        beside["turned"] = where
    of = product_of(AS_THEY_ARE, relu=relu)
    for _ in range(2):  # planned, then planned by now
        assert torch.equal(of(a, b, **beside), expected)


def test_ends_come_once_all_columns_are_summed(monkeypatch):
    a, b = torch.randn(2, 7, 11), torch.randn(2, 11, 40)
    bias, mask = torch.randn(2, 7, 1).expand(2, 7, 40), torch.randn(2, 7, 40)
    expected = (product(a, b) + bias).relu().where(mask > 0, 0)
    monkeypatch.setattr(microkernels, "DEPTH", 4)
    products._code.cache_clear()
    assert torch.equal(product_of(AS_THEY_ARE, relu=True)(a, b, bias=bias, mask=mask), expected)
    products._code.cache_clear()


def test_numbers_that_are_none_stay_so():
    a, b = torch.full((1, 2, 3), torch.nan), torch.ones(1, 3, 20)
    assert product_of(AS_THEY_ARE, relu=True)(a, b).isnan().all()
    assert product_of(AS_THEY_ARE)(a, b, mask=torch.ones(1, 2, 20)).isnan().all()


@pytest.mark.parametrize("rows", range(1, 60))
def test_tiles_cover_all_rows(rows):
    count, most = tiles(rows)
    assert 0 <= rows - count * most < most <= 12


def test_stacks_of_many_shapes_that_lie_alike():
    """Their strides alone do not tell them apart."""
    a, b = torch.ones(1, 8, 40), torch.ones(1, 40, 8)
    for size in (40, 30, 20):
        c = multiplied(a[:, :, :size], b[:, :size])
        assert (c == size).all()


def test_nothing_is_multiplied_of_empty_matrices():
    assert product(torch.ones(2, 3, 0), torch.ones(2, 0, 4)).eq(0).all()
    assert product(torch.ones(0, 3, 2), torch.ones(0, 2, 4)).shape == (0, 3, 4)


def of(row, x):
    return ((x @ row[:60].view(6, 10)).relu() * 2).sum()


@pytest.mark.parametrize(
    "threads, compiles, used",
    [(1, True, True), (2, True, False), (1, False, False)],
    indirect=["threads"],
)
def test_programs_use_them_on_one_thread(compiles, used, monkeypatch):
    """And where they are not used a row has the same bits among any others too."""
    called = []
    monkeypatch.setattr(products, "compiles", lambda: compiles)
    monkeypatch.setattr(
        binding, "product_of", lambda *views, **ends: called.append(1) or product_of(*views, **ends)
    )
    program = Program(
        torch.func.grad(of), key=("products", compiles, torch.get_num_threads()), mapped=1
    )
    rng = torch.Generator().manual_seed(1)
    rows, x = torch.randn(4, 70, generator=rng), torch.randn(5, 6, generator=rng)
    slopes = program(rows, x)
    assert bool(called) is used
    torch.testing.assert_close(
        slopes, torch.func.vmap(torch.func.grad(of), in_dims=(0, None))(rows, x)
    )
    for row in range(4):
        assert torch.equal(program(rows[row : row + 1], x)[0], slopes[row])


def perceptron(row, x):
    first, bias, second, other = row.split([1024, 32, 320, 10])
    hidden = (x @ first.view(32, 32) + bias).relu()
    logits = hidden @ second.view(32, 10) + other
    return logits.log_softmax(-1)[:, 3].sum()


def test_perceptrons_are_products_and_what_stands_between(monkeypatch):
    """Biases, relus and their slopes are computed by the products, and lie as what they are put together with."""
    monkeypatch.setattr(products, "compiles", lambda: True)
    seen = []

    def spied(traced, arguments):
        compiled = call_compiled_(traced, arguments)
        seen.extend(n for n in traced.graph.nodes if n.op == "call_function")
        return compiled

    program = Program(torch.func.grad(perceptron), key="laid", mapped=1, finish=spied)
    rng = torch.Generator().manual_seed(2)
    rows, x = torch.randn(3, 1386, generator=rng), torch.randn(16, 32, generator=rng)
    mapped = torch.func.vmap(torch.func.grad(perceptron), in_dims=(0, None))
    torch.testing.assert_close(program(rows, x), mapped(rows, x), rtol=1e-4, atol=1e-5)
    assert not {n.target for n in seen} & {torch.add, torch.relu, torch.relu_}
    beside = sorted(sorted(n.kwargs) for n in seen if "product" in n.target.__name__)
    assert beside == [["bias"], ["bias"], ["mask", "turned"], ["out"], ["out"]]


def test_slopes_of_other_thresholds_are_left_alone(monkeypatch):
    monkeypatch.setattr(products, "compiles", lambda: True)

    def of(row, x):
        hidden = torch.nn.functional.threshold(x @ row[:64].view(8, 8), 0.5, 0.0)
        return (hidden @ row[64:].view(8, 4)).square().sum()

    program = Program(torch.func.grad(of), key="threshold", mapped=1)
    rng = torch.Generator().manual_seed(3)
    rows, x = torch.randn(3, 96, generator=rng), torch.randn(5, 8, generator=rng)
    mapped = torch.func.vmap(torch.func.grad(of), in_dims=(0, None))
    torch.testing.assert_close(program(rows, x), mapped(rows, x))


def test_nothing_is_compiled_where_llvmlite_is_not(monkeypatch):
    monkeypatch.setattr(products, "find_spec", {"llvmlite": None}.__getitem__)
    products.compiles.cache_clear()
    try:
        assert not products.compiles()
        assert not products.ours(torch.ones(1))
    finally:
        products.compiles.cache_clear()
