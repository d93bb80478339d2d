"""Products of stacks of small matrices on one CPU thread, by kernels compiled for their shapes.

PyTorch's are MKL's, which keeps AVX-512 to Intel's processors and is made for large matrices, or oneDNN's,
which copies factors that do not lie side by side. Where there is no AVX-512, no llvmlite, or more
than one thread, PyTorch's are used, which round otherwise. What is gained: ``python -m benchmarks.products``.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:
    from trainables.assembly import Code
    from trainables.microkernels import Shape

Some: TypeAlias = "Tensor | None"

Product: TypeAlias = Callable[[Tensor, Tensor, Some, Some, Some], Tensor]

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


class Views(NamedTuple):
    """What stacks a product reads and writes, of the tensors that it is given."""

    a: View
    b: View
    out: View
    bias: View
    mask: View


def _itself(tensor: Tensor) -> Tensor:
    return tensor


AS_THEY_ARE = Views(*5 * (_itself,))


def product_of(views: Views, *, relu: bool = False) -> Callable[..., Tensor]:
    """A product of views, which are not made: each lies where the tensor lies that it is of.

    It is given float32 tensors on the CPU, always of the same shapes, views of them being stacks
    a [M, m, k] and b [M, k, n], and gives the stack [M, m, n]. To it is added a ``bias`` [M, m, n]; then, if ``relu``, what
    is negative becomes 0; then what is not positive in a ``mask`` [M, m, n]. Without ``out`` it lies along rows, or if
    ``turned`` along columns; None: whichever is sooner done.
    """
    plans: dict[object, Product] = {}

    def product(
        a: Tensor,
        b: Tensor,
        *,
        out: Some = None,
        bias: Some = None,
        mask: Some = None,
        turned: bool | None = None,
    ) -> Tensor:
        key = (
            a.stride(),
            b.stride(),
            None if out is None else out.stride(),
            None if bias is None else bias.stride(),
            None if mask is None else mask.stride(),
        )
        plan = plans.get(key)
        if plan is None:
            if len(plans) >= PLANS:
                plans.clear()
            some = zip((a, b, out, bias, mask), views, strict=True)
            given = Given(*(None if x is None else of(x) for x, of in some))  # type: ignore[arg-type] # a and b are there
            plan = _planned(given, relu=relu, wanted=turned) or _plain(views, relu=relu)
            plans[key] = plan
        return plan(a, b, out, bias, mask)

    return product


class Given(NamedTuple):
    """Stacks [M, rows, columns] of a product."""

    a: Tensor
    b: Tensor
    out: Some = None
    bias: Some = None
    mask: Some = None

    @property
    def turned(self) -> Given:
        """C' = B' A'."""
        rest = (None if x is None else x.mT for x in self[2:])
        return Given(self.b.mT, self.a.mT, *rest)


class Plan(NamedTuple):
    """How some tensors are multiplied: by the ``code`` of C, or if ``turned`` of C' = B' A'."""

    code: Code
    shape: Shape
    turned: bool


def _planned(given: Given, *, relu: bool, wanted: bool | None) -> Product | None:
    """What multiplies tensors like these; None: they lie badly."""
    plan = planned(given, relu=relu, wanted=wanted)
    return None if plan is None else _compiled(plan, given)


def planned(given: Given, *, relu: bool, wanted: bool | None) -> Plan | None:
    """How tensors like these are multiplied: along C's rows, or along the rows of C'; None: neither way."""
    if 0 in (*given.a.shape, *given.b.shape):
        return None
    ways = [_shape(given, relu), _shape(given.turned, relu)]
    costs = {i: _cost(s) for i, s in enumerate(ways) if s is not None and wanted in {None, bool(i)}}
    if not costs:
        return None
    turned = min(costs, key=costs.__getitem__)
    shape = ways[turned]
    assert shape is not None
    return Plan(_code(shape), shape, bool(turned))


def _plain(views: Views, *, relu: bool) -> Product:
    """The same of tensors that lie badly, or are empty."""

    def multiply(a: Tensor, b: Tensor, out: Some, bias: Some, mask: Some) -> Tensor:
        one, other = views.a(a), views.b(b)
        empty = 0 in (*one.shape, *other.shape)
        made = torch.bmm(one, other) if empty else multiplied(one.contiguous(), other.contiguous())
        made = made if bias is None else made.add_(views.bias(bias))
        made = made.relu_() if relu else made
        made = made if mask is None else made.masked_fill_(views.mask(mask) <= 0, 0)
        return made if out is None else views.out(out).copy_(made)

    return multiply


def _compiled(plan: Plan, given: Given) -> Product:
    """The product of tensors like ``given``."""
    (code, shape, turned), count = plan, len(given.a)
    a, b, *rest = (0 if x is None else x.stride(0) for x in (given.turned if turned else given))
    c, d, e = rest
    size = (count, shape.m, shape.n)
    if given.out is None:
        c = shape.m * shape.n
    strides = (c, shape.n, 1)
    if turned:
        size, strides = (count, shape.n, shape.m), (c, 1, shape.n)

    def multiply(one: Tensor, other: Tensor, out: Some, *_: Some) -> Tensor:
        made = torch.empty_strided(size, strides) if out is None else out
        if turned:
            one, other = other, one
        code.call(count, one.data_ptr(), a, other.data_ptr(), b, made.data_ptr(), c)
        return made

    def multiply_and_end(one: Tensor, other: Tensor, out: Some, bias: Some, mask: Some) -> Tensor:
        made = torch.empty_strided(size, strides) if out is None else out
        if turned:
            one, other = other, one
        beside = () if bias is None else (bias.data_ptr(), d)
        if mask is not None:
            beside = (*beside, mask.data_ptr(), e)
        at = one.data_ptr(), a, other.data_ptr(), b, made.data_ptr(), c
        code.call(count, *at, *beside)
        return made

    return multiply if given.bias is given.mask is None else multiply_and_end


def _shape(given: Given, relu: bool) -> Shape | None:  # noqa: FBT001 - handed on
    """What there is to compile if B and C are read by vectors along their rows; None if they cannot be."""
    from trainables.microkernels import Shape  # noqa: PLC0415 - llvmlite need not be there

    a, b, out, bias, mask = given
    (_, m, k), n = a.shape, b.shape[2]
    if k > 1 and 1 not in _steps(b, n=n):
        return None
    if any(_steps(x, n=n)[1] != 1 for x in (out, mask) if x is not None):
        return None
    of_bias = None if bias is None else _steps(bias, n=n, m=m, alone=0)
    if of_bias is not None and (0 not in of_bias or of_bias[1] > 1):
        return None
    row = n if out is None else out.stride(1)
    (_, *of_a), (_, *of_b) = a.stride(), b.stride()
    return Shape(
        m=m,
        n=n,
        k=k,
        a=(of_a[0], of_a[1]),
        b=(of_b[0], of_b[1]),
        c=row,
        bias=of_bias,
        relu=relu,
        mask=None if mask is None else mask.stride(1),
    )


def _steps(x: Tensor, *, n: int, m: int = 0, alone: int = 1) -> tuple[int, int]:
    """The strides of the rows and columns of ``x``; ``alone`` where there is one of them."""
    row, column = x.stride()[1:]
    return alone if m == 1 else row, alone if n == 1 else column


def _cost(shape: Shape) -> int:
    """In multiplications and additions of a number, whole vectors of them."""
    from trainables.assembly import LANES  # noqa: PLC0415 - likewise

    wide = -(-shape.n // LANES) * LANES
    return wide * shape.k * (shape.m + TURNING * shape.turned)


@lru_cache(maxsize=CODES)
def _code(shape: Shape) -> Code:
    from trainables.microkernels import kernel  # noqa: PLC0415 - likewise

    return kernel(shape)


def ours(like: Tensor) -> bool:
    """Whether stacks where ``like`` is are multiplied by kernels of our own: on one thread of the CPU."""
    return like.device.type == "cpu" and torch.get_num_threads() == 1 and compiles()


def multiplied(a: Tensor, b: Tensor) -> Tensor:
    """The products of stacks [M, m, k] and [M, k, n] of float32 on the CPU. [M, m, n]."""
    made: Tensor = _of_shapes(a.shape, b.shape)(a, b)
    return made


@lru_cache(maxsize=CODES)
def _of_shapes(*_: torch.Size) -> Callable[..., Tensor]:
    return product_of(AS_THEY_ARE)
