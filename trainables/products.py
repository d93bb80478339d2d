"""Products of stacks of small matrices on one CPU thread, by kernels compiled for their shapes.

PyTorch's own go through MKL, which keeps AVX-512 to Intel's processors, copies nothing but is
made for large matrices. Measured on an AMD EPYC with AVX-512 (Zen 5), 16 and 64 perceptrons of 128 x 128 on 32
samples: 230 GFLOP/s where MKL does 85. Where that is not to be had (another processor, several
threads, no llvmlite) PyTorch's are used, which round otherwise.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:
    from trainables.assembly import Code
    from trainables.microkernels import Shape

Product: TypeAlias = Callable[[Tensor, Tensor, Tensor | None], Tensor]

View: TypeAlias = Callable[[Tensor], Tensor]

PLANS, CODES = 64, 256
"""Are kept of a product, and in a process, so that what meets ever new shapes does not grow."""

TURNING = 8
"""What turning a number costs, in multiplications and additions of a number."""


@cache
def compiles() -> bool:
    """Whether stacks are multiplied by kernels of our own here: with AVX-512 and llvmlite."""
    if platform.machine().lower() not in {"x86_64", "amd64"} or find_spec("llvmlite") is None:
        return False
    from llvmlite import binding  # noqa: PLC0415 - it need not be there

    return bool(binding.get_host_cpu_features().get("avx512f"))


def product_of(a_as: View, b_as: View, out_as: View) -> Callable[..., Tensor]:
    """A product of views, which are not made: each lies where the tensor lies that it is of.

    It is given float32 tensors on the CPU, views of them being stacks [M, m, k] and [M, k, n], and gives
    the stack [M, m, n]. Without ``out`` that lies along rows, or if ``turned`` along columns; None: whichever is
    sooner done.
    """
    plans: dict[object, Product] = {}

    def product(
        a: Tensor, b: Tensor, *, out: Tensor | None = None, turned: bool | None = None
    ) -> Tensor:
        of_out = None if out is None else (out.shape, out.stride())
        key = a.shape, a.stride(), b.shape, b.stride(), of_out, turned
        plan = plans.get(key)
        if plan is None:
            if len(plans) >= PLANS:
                plans.clear()
            views = a_as(a), b_as(b), None if out is None else out_as(out)
            plan = _planned(*views, wanted=turned)
            if plan in _PLAIN:
                return plan(*views)
            plans[key] = plan
        return plan(a, b, out)

    return product


def _planned(a: Tensor, b: Tensor, out: Tensor | None, *, wanted: bool | None) -> Product:
    """How tensors like these are multiplied: along C's rows, or along the rows of C' = B' A'."""
    if 0 in (*a.shape, *b.shape):
        return _by_torch
    ways = [_shape(a, b, out), _shape(b.mT, a.mT, None if out is None else out.mT)]
    costs = {i: _cost(s) for i, s in enumerate(ways) if s is not None and wanted in {None, bool(i)}}
    if not costs:
        return _copied if out is None else _copied_out
    turned = min(costs, key=costs.__getitem__)
    shape = ways[turned]
    assert shape is not None
    return _compiled(shape, (b, a) if turned else (a, b), out, turned=bool(turned))


def _compiled(
    shape: Shape, factors: tuple[Tensor, Tensor], out: Tensor | None, *, turned: bool
) -> Product:
    """C = A B of ``factors`` A and B; ``turned`` if the product's own factors are B' and A'."""
    code, count = _code(shape), len(factors[0])
    a, b = (f.stride(0) for f in factors)
    size, c = (count, shape.m, shape.n), shape.m * shape.n if out is None else out.stride(0)
    strides = (c, shape.n, 1)
    if turned:
        size, strides = (count, shape.n, shape.m), (c, 1, shape.n)

    def multiply(one: Tensor, other: Tensor, out: Tensor | None) -> Tensor:
        c_ = torch.empty_strided(size, strides) if out is None else out
        code.call(count, one.data_ptr(), a, other.data_ptr(), b, c_.data_ptr(), c)
        return c_

    def multiply_turned(one: Tensor, other: Tensor, out: Tensor | None) -> Tensor:
        c_ = torch.empty_strided(size, strides) if out is None else out
        code.call(count, other.data_ptr(), a, one.data_ptr(), b, c_.data_ptr(), c)
        return c_

    return multiply_turned if turned else multiply


def _shape(a: Tensor, b: Tensor, out: Tensor | None) -> Shape | None:
    """What there is to compile if B and C are read by vectors along their rows; None if they cannot be."""
    from trainables.microkernels import Shape  # noqa: PLC0415 - llvmlite need not be there

    (_, m, k), n = a.shape, b.shape[2]
    if n > 1 and k > 1 and 1 not in b.stride()[1:]:
        return None
    if n > 1 and out is not None and out.stride(2) != 1:
        return None
    (_, *of_a), (_, *of_b) = a.stride(), b.stride()
    row = n if out is None else out.stride(1)
    return Shape(m=m, n=n, k=k, a=(of_a[0], of_a[1]), b=(of_b[0], of_b[1]), c=row)


def _cost(shape: Shape) -> int:
    """In multiplications and additions of a number, whole vectors of them."""
    from trainables.assembly import LANES  # noqa: PLC0415 - likewise

    wide = -(-shape.n // LANES) * LANES
    return wide * shape.k * (shape.m + TURNING * shape.turned)


@lru_cache(maxsize=CODES)
def _code(shape: Shape) -> Code:
    from trainables.microkernels import kernel  # noqa: PLC0415 - likewise

    return kernel(shape)


def _by_torch(a: Tensor, b: Tensor, out: Tensor | None) -> Tensor:
    return torch.bmm(a, b) if out is None else torch.bmm(a, b, out=out)


def _copied(a: Tensor, b: Tensor, out: Tensor | None) -> Tensor:
    return product(a.contiguous(), b.contiguous(), out=out)


def _copied_out(a: Tensor, b: Tensor, out: Tensor | None) -> Tensor:
    assert out is not None
    return out.copy_(product(a, b))


_PLAIN = {_by_torch, _copied, _copied_out}
"""Plans that look at more of a view than where it lies."""

product = product_of(*3 * (lambda tensor: tensor,))
"""Of the tensors themselves."""
