"""Routines: a program as one function gives what its kernels give, of any number of rows the same bits."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad, vmap

from trainables import products, programs
from trainables.losses import cross_entropy
from trainables.programs import Program, routine_of
from trainables.tracing import traced

if not products.compiles():
    pytest.skip("routines need AVX-512 and llvmlite", allow_module_level=True)

from trainables.assembly import UnsupportedError
from trainables.routines import COUNTS, routine
from trainables.values import Buffer, arranged

pytestmark = pytest.mark.usefixtures("threads")

RNG = torch.Generator().manual_seed(0)
ROWS, X = torch.randn(5, 400, generator=RNG), torch.randn(17, 20, generator=RNG)
OWN = torch.eye(4)[torch.arange(17) % 4]
Y, MASK = torch.arange(17) % 4, torch.tensor([True, False, True, True])


def logits(row, x):
    hidden = (x @ row[:320].view(20, 16) + row[384:400]).relu()
    return hidden @ row[320:384].view(16, 4) + row[388:392]


def masked(row, x):
    told = torch.where(MASK, logits(row, x), -1e9).log_softmax(-1)
    return -told.gather(-1, Y.unsqueeze(-1)).mean()


def far(row, x):
    """Distances, roots and what is bounded below."""
    means = row[:80].view(4, 20)
    squares = (x.unsqueeze(1) - means).square().sum(-1)
    return (squares + 1e-6).sqrt().mean() + row.abs().clamp_min(0.5).log().mean()


def margins(row, x):
    found = logits(row, x)
    return ((1 - OWN) * found).relu().mean()


def extreme(row, x):
    """Factors besides, and numbers beyond all others."""
    return torch.rsub(row, 2, alpha=3).clamp(max=torch.inf).square().mean() + x.sum()


def sliced(row, x):
    return (row[3:43].view(2, 20)[1] * x[0]).sum() ** 2


FUNCTIONS = [masked, far, margins, extreme, sliced]


@pytest.mark.parametrize("of", FUNCTIONS)
@pytest.mark.parametrize("slope", [False, True])
def test_it_is_the_mapped_function_up_to_rounding(of, slope):
    of = grad(of) if slope else of
    mapped = vmap(of, in_dims=(0, None))
    found = routine(lambda *given: traced(mapped, *given), (ROWS, X), 1)
    torch.testing.assert_close(found(ROWS, X), mapped(ROWS, X), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found(ROWS * 3, -X), mapped(ROWS * 3, -X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("of", FUNCTIONS)
def test_a_row_has_the_same_bits_among_any_others_wherever_they_lie(of):
    mapped = vmap(grad(of), in_dims=(0, None))
    found = routine(lambda *given: traced(mapped, *given), (ROWS, X), 1)
    whole = found(ROWS, X)
    apart, turned = torch.zeros(5, 3, 400), torch.zeros(400, 5)
    apart[:, 1], turned[:] = ROWS, ROWS.T
    for rows in (apart[:, 1], turned.T):
        assert torch.equal(found(rows, X.T.contiguous().T), whole)
    for count in range(6):
        assert torch.equal(found(ROWS[:count], X), whole[:count])
        assert torch.equal(found(ROWS.flip(0)[:count], X), whole.flip(0)[:count])


def test_a_label_that_is_no_class_gives_no_number():
    def of(row, x, y):
        return cross_entropy(logits(row, x), y)

    mapped = vmap(grad(of), in_dims=(0, None, None))
    found = routine(lambda *given: traced(mapped, *given), (ROWS, X, Y), 1)
    for label in (-1, 4, 2**40):
        y = Y.clone()
        y[3] = label
        assert found(ROWS, X, y).isnan().any(dim=1).all()
    assert found(ROWS, X, Y).isfinite().all()


def stepped(weights, slopes, memory, rates):
    """In place, with what is written looked at again as a whole and in part."""
    slopes.addcmul_(weights, rates[:, :1], value=0.5)
    memory.lerp_(slopes, rates[:, 1:2])
    weights.addcmul_(memory, rates[:, 2:], value=-1)
    weights[:, 3:7] = weights[:, 2:6] * 2
    memory.copy_(torch.where(rates[:, :1] == 0, memory, weights.abs()))


@pytest.mark.parametrize("width", [1, 9, 16, 40, 1000])
def test_what_is_written_over_is_written_as_by_kernels(width):
    width += 7
    given = [torch.randn(5, width, generator=RNG) for _ in range(3)]
    given.append(torch.rand(5, 3, generator=RNG))
    given[3][2, 0] = 0
    expected, alone = ([t.clone() for t in given] for _ in range(2))
    found = routine(lambda *some: traced(stepped, *some), given, 4)
    stepped(*expected)
    assert found(*given) is None
    for one, other in zip(given, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)
    for i in range(5):
        found(*(t[i : i + 1] for t in alone))
    assert all(map(torch.equal, alone, given))
    with pytest.raises(ValueError, match="side by side"):
        found(given[0].T.contiguous().T, *given[1:])


def rotated(row, x):
    return (x.flip(0) * row[:20]).sum().sin()


def meeting(row, x):
    return row - row.mean() + torch.cumsum(x, 0).sum()


@pytest.mark.parametrize("of", [rotated, meeting])
def test_what_cannot_be_written_down_is_replayed_kernel_by_kernel(of):
    mapped = vmap(of, in_dims=(0, None))
    with pytest.raises(UnsupportedError):
        routine(lambda *given: traced(mapped, *given), (ROWS, X), 1)
    assert routine_of(of, lambda *given: traced(mapped, *given), (ROWS, X), 1) is None
    program = Program(of, key=of.__name__, mapped=1)
    torch.testing.assert_close(program(ROWS, X), mapped(ROWS, X))


def shifted(rows):
    """What is written is looked at again a number further, in tensors of one shape."""
    one, other = rows[:, 1:], rows[:, :-1]
    other.mul_(2)
    one.add_(1)


@pytest.mark.parametrize("width", [5, 17, 100])
def test_what_is_written_is_not_looked_at_too_early(width):
    rows = torch.randn(4, width, generator=RNG)
    expected = rows.clone()
    expected[:, :-1] *= 2
    expected[:, 1:] += 1
    routine(lambda *some: traced(shifted, *some), (rows.clone(),), 1)(rows)
    assert torch.equal(rows, expected)


def slopes(row, x):
    """A gradient for each sample: rows and samples become one axis of products."""

    def loss(row, one):
        return ((one @ row[:80].view(20, 4)).relu() @ row[80:96].view(4, 4)).square().sum()

    return vmap(grad(loss), in_dims=(None, 0))(row, x).abs().pow(2).sum(0)


def test_rows_that_meet_other_numbers_are_not_taken_for_shared_ones():
    mapped = vmap(slopes, in_dims=(0, None))
    program = Program(slopes, key="merged", mapped=1)
    torch.testing.assert_close(program(ROWS, X), mapped(ROWS, X), rtol=1e-4, atol=1e-4)


def test_constants_that_differ_from_row_to_row_are_refused():
    def numbered(rows):
        return rows * torch.arange(float(len(rows))).unsqueeze(1)

    with pytest.raises(UnsupportedError, match="from row to row"):
        routine(lambda *some: traced(numbered, *some), (ROWS,), 1)


def test_as_many_rows_as_something_else_are_not_traced():
    x = torch.randn(COUNTS[0], COUNTS[1], generator=RNG)
    rows = torch.randn(3, COUNTS[1] * 2, generator=RNG)

    def of(row, x):
        return (x @ row.view(-1, 2)).square().sum(0)

    mapped, counts = vmap(of, in_dims=(0, None)), []

    def trace(*given):
        counts.append(len(given[0]))
        return traced(mapped, *given)

    found = routine(trace, (rows, x), 1)
    assert counts == list(COUNTS[:3])
    torch.testing.assert_close(found(rows, x), mapped(rows, x))


def test_programs_are_routines_for_any_number_of_rows():
    program = Program(grad(masked), key="routine", mapped=1)
    first, second = program(ROWS, X), program(ROWS[:1], X)
    assert torch.equal(first[:1], second)
    assert len({id(function) for function in program._own.values()}) == 1
    assert program._own.keys() == {(1, a.shape, X.shape) for a in (ROWS, ROWS[:1])}


def test_only_the_routines_used_last_are_kept():
    for width in range(1, programs.TRACES + 3):
        for used in (width, 1):
            x = torch.ones(2, used)
            assert torch.equal(Program(lambda row: row * 2, key="kept", mapped=1)(x), x * 2)
    kept = [rows[0][0] for key, rows, _ in programs.ROUTINES if key == "kept"]
    assert len(programs.ROUTINES) == programs.TRACES and 1 in kept and 2 not in kept


def test_memory_is_shared_by_what_is_not_needed_at_one_time():
    spans = [(0, 3, 100), (1, 2, 10), (2, 5, 64), (4, 6, 100), (3, 3, 1), (6, 7, 300)]
    buffers = [Buffer(str(i), size, first, last) for i, (first, last, size) in enumerate(spans)]
    places, room = arranged(buffers)
    for i, one in enumerate(buffers):
        for j, other in enumerate(buffers[:i]):
            if one.first <= other.last and other.first <= one.last:
                assert places[i] >= places[j] + other.size or places[j] >= places[i] + one.size
    assert room < sum(b.size for b in buffers)
    assert all(at % 64 == 0 for at in places)
