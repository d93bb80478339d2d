"""What is out of memory is tried again smaller; what raises, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.faults import kind_of, parted

CREWS = st.lists(st.integers(1, 4), min_size=1, max_size=9).map(
    lambda sizes: tuple(
        tuple(range(sum(sizes[:k]), sum(sizes[: k + 1]))) for k in range(len(sizes))
    )
)


def test_a_tensor_that_no_memory_holds():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**56, dtype=torch.uint8)
    assert kind_of(caught.value) == "memory"
    with pytest.raises(MemoryError) as caught:
        np.empty(2**56, dtype=np.uint8)
    assert kind_of(caught.value) == "memory"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_out_of_memory_as_it_is_worded(error):
    assert kind_of(error) == "memory"


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("sizes differ")])
def test_other_errors(error):
    assert kind_of(error) == "raised"


@given(CREWS)
def test_halves_keep_everybody_in_order(members):
    crews = parted(members, "memory")
    assert sum((c for crew in crews for c in crew), ()) == sum(members, ())
    sizes = [len(crew) for crew in crews]
    if len(members) > 1:
        assert tuple(m for crew in crews for m in crew) == members
        assert sizes in ([len(members) // 2] * 2, [len(members) // 2 + 1, len(members) // 2])
    elif len(members[0]) > 1:
        assert sizes == [1, 1]
    else:
        assert crews == [members]


@given(CREWS, st.sampled_from(["raised", "died"]))
def test_whatever_else_happened_members_stand_alone(members, kind):
    assert parted(members, kind) == [(member,) for member in members]


@given(CREWS)
def test_halved_again_and_again_everybody_is_alone(members):
    crews, rounds = [members], 0
    while any(len(parted(crew, "memory")) > 1 for crew in crews):
        crews = [half for crew in crews for half in parted(crew, "memory")]
        rounds += 1
    assert crews == [((c,),) for m in members for c in m]
    assert rounds <= 6
