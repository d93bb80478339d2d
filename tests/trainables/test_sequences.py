"""Sequences: many routines in one call leave what they leave one by one, to the last bit."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from trainables import products
from trainables.programs import routine_of
from trainables.tracing import traced

if not products.compiles():
    pytest.skip("routines need AVX-512 and llvmlite", allow_module_level=True)

from trainables.sequences import run_, stack_at, stacks_at, tensors_at

pytestmark = pytest.mark.usefixtures("threads")

P, STEPS, BATCH = 40, 7, 9


def ahead(before, after, memory, own, x):
    """A step of rows with a memory; ``own`` [m, 1] is theirs, ``x`` [BATCH, P] all's."""
    slope = (before.unsqueeze(1) * x).relu().sum(1) + own
    memory.mul_(0.9).add_(slope)
    after.copy_(before - 0.01 * memory)


def back(before, after, memory, own, x):
    """Another, which lets the memory be."""
    after.copy_(before + 0.1 * memory * own + x.sum(0))


def course(rows, seed=0):
    rng = torch.Generator().manual_seed(seed)
    slots, memory = torch.randn(rows, 4, P, generator=rng), torch.randn(rows, P, generator=rng)
    own = torch.randn(STEPS, rows, 1, generator=rng)
    return slots, memory, own, [torch.randn(BATCH, P, generator=rng) for _ in range(STEPS)]


def places(step):
    return (step - 1) % 4, step % 4


def routines(like):
    slots, memory, own, x = like
    given = slots[:, 3], slots[:, 0], memory, own[0], x[0]
    found = [routine_of(of.__name__, partial(traced, of), given, 4) for of in (ahead, back)]
    assert None not in found
    return [found[step % 3 == 2] for step in range(STEPS)]


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("part", [slice(None), slice(1, None, 2)])
def test_they_are_as_one_by_one(rows, part):
    one, other = course(rows), course(rows)
    each = routines(one)
    for step, routine in enumerate(each):
        before, after = places(step)
        slots, memory, own, x = one
        routine(slots[part, before], slots[part, after], memory[part], own[step, part], x[step])
    slots, memory, own, x = other
    before, after = zip(*map(places, range(STEPS)), strict=True)
    run_(
        each,
        [
            stacks_at(slots[part], before),
            stacks_at(slots[part], after),
            stack_at(memory[part]),
            stacks_at(own[:, part].transpose(0, 1), range(STEPS)),
        ],
        [tensors_at(x, rows=False)],
        len(slots[part]),
    )
    assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_what_is_of_rows_may_lie_elsewhere_at_each_step():
    slots, memory, own, x = course(3)
    given = slots.clone(), memory.clone()
    mapped = [stacks_at(slots, [0] * STEPS), stacks_at(slots, [1] * STEPS), stack_at(memory)]
    each = routines(course(3))
    run_(each, [*mapped, tensors_at(list(own), rows=True)], [tensors_at(x, rows=False)], 3)
    for step, routine in enumerate(each):
        routine(given[0][:, 0], given[0][:, 1], given[1], own[step], x[step])
    assert torch.equal(slots, given[0]) and torch.equal(memory, given[1])


def test_of_no_rows_nothing_is_done():
    run_([], [], [], 0)


def test_rows_that_are_torn_apart_are_refused():
    with pytest.raises(ValueError, match="side by side"):
        stack_at(torch.zeros(4, 3).T)
    with pytest.raises(ValueError, match="side by side"):
        stacks_at(torch.zeros(2, 5, 3, 2)[..., 0], [0, 1])
