"""Absorbing: a block of students taken into averages by one compiled function, in one pass over both.

average <- decay average + sum of weight[i] student[i], of some columns at a time, whose sums stay in
registers until the last student is in. What a product needs beside it (a look at whether all is finite,
the old averages) goes through memory again, and a processor takes longer for that than for the arithmetic.

Each number is one chain: the decay times the old one, then fused multiplications and additions in the
order of the students. The old one is not looked at where the decay is 0, nor a student that is not finite
where its weight is. So a number depends on its column of its average and of the students, on that
average's weights and decay, and on nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

from torch import Tensor

from trainables.assembly import LANES, ZEROS, Body, Code, Function, compiled, constant
from trainables.mixing import GROUP

VECTORS = 2
"""Of columns at a time: with ``GROUP`` averages 16 sums, of 32 registers."""

PANEL = VECTORS * LANES

AHEAD = 32
"""Panels after which students are fetched anew, a page of 4 kB of each: during the first of them the next
page of the first student, and so on. A processor foresees one row that is read along, but not 25 by turns:
without, this takes twice as long where students come from beyond the second cache."""

LINE = 16
"""Numbers that are fetched together."""

MOST = 25
"""Students that share in fetching a page; more fetch beyond it, fewer not all."""

Taken: TypeAlias = Callable[[Body, str, str], str]
"""What of a vector of students is multiplied by a vector of their weight."""

_DECLARED = Function(
    "declare i64 @llvm.umin.i64(i64, i64)\ndeclare void @llvm.prefetch.p0(ptr, i32, i32, i32)\n"
)

_GIVEN = (
    *("i64 %columns", "i64 %steps", "i64 %rows", "ptr %A", "i64 %a"),
    *("ptr %D", "ptr %W", "i64 %w", "ptr %S", "i64 %s"),
)


def take_in_(averages: Tensor, decays: Tensor, weights: Tensor, students: Tensor) -> None:
    """Takes students [M, n, P] into averages [M, K, P], by decays [M, K] and weights [n, M, K].

    All of float32 on the CPU, and in rows of which the numbers lie side by side.
    """
    assert averages.stride(2) == students.stride(2) == 1
    (members, count, columns), steps, call = averages.shape, len(weights), absorbing().call
    a, d, w, s = (x.data_ptr() for x in (averages, decays, weights, students))
    (a_member, a_row), (s_member, s_row) = averages.stride()[:2], students.stride()[:2]
    d_member, (w_step, w_member) = decays.stride(0), weights.stride()[:2]
    for m in range(members):
        for k in range(0, count, GROUP):
            call(
                *(columns, steps, min(GROUP, count - k)),
                *(a + 4 * (m * a_member + k * a_row), a_row, d + 4 * (m * d_member + k)),
                *(w + 4 * (m * w_member + k), w_step, s + 4 * m * s_member, s_row),
            )


@cache
def absorbing() -> Code:
    """``call(columns, steps, rows, A, a, D, W, w, S, s)``: takes ``steps`` students S into ``rows`` averages A.

    Of ``columns`` numbers each, and ``s`` and ``a`` numbers from one to the next. D holds the averages' decays,
    W their weights of the first student, ``w`` numbers before those of the next. Of D and of W ``GROUP``
    numbers are read, however many ``rows`` there are, which are at least one, as are columns and steps.
    """
    body = Body()
    more = body.let(f"add i64 %columns, {PANEL - 1}")

    def panel(j: str, _: Sequence[str]) -> Sequence[str]:
        done = body.times(j, PANEL)
        left = body.let(f"sub i64 %columns, {done}")
        places = f"ptr {body.at('%A', done)}", f"ptr {body.at('%S', done)}"
        given = (f"i64 {left}", *_GIVEN[1:3], places[0], *_GIVEN[4:8], places[1], _GIVEN[9])
        body.do(f"call void @panel({', '.join(given)}, ptr {_next_page(body, j)})")
        return ()

    body.loop(body.let(f"udiv i64 {more}, {PANEL}"), panel)
    functions = [_DECLARED, _careful(), _panel(), body.function("absorb", _GIVEN, inner=False)]
    return compiled(functions, "absorb", len(_GIVEN))


def _next_page(body: Body, panel: str) -> str:
    """What is fetched beside a panel: where that student goes on whose turn it is, or else the last."""
    turn = body.let(f"urem i64 {panel}, {AHEAD}")
    first = body.times(body.let(f"sub i64 {panel}, {turn}"), PANEL)
    last = body.let("sub i64 %steps, 1")
    student = body.let(f"call i64 @llvm.umin.i64(i64 {turn}, i64 {last})")
    return body.at(body.at(body.at("%S", body.times(student, "%s")), first), AHEAD * PANEL)


def _panel() -> Function:
    """Some columns; with care, from the start, if a sum of theirs is not finite.

    A student that is not finite makes every sum so, also by a weight of 0.
    """
    body = Body()
    panel = _Panel(body)
    sums = panel.sums(_as_it_is, _fetch)
    check = ZEROS
    for total in sums:
        check = body.fma(total, ZEROS, check)
    lanes = body.compared("uno", check, ZEROS)
    bits = body.let(f"bitcast <{LANES} x i1> {lanes} to i{LANES}")
    finite = body.let(f"icmp eq i{LANES} {bits}, 0")
    body.do(f"br i1 {finite}, label %plain, label %careful")
    body.do("careful:")
    body.do(f"call void @careful({', '.join(_GIVEN)})")
    body.do("ret void")
    body.do("plain:")
    panel.write(sums)
    return body.function("panel", (*_GIVEN, "ptr %N"))


def _as_it_is(_: Body, student: str, __: str) -> str:
    return student


def _fetch(body: Body, student: str) -> None:
    """Of the page at %N the lines that are this student's share, into the second cache; ``MOST`` fetch it all."""
    share = -(-AHEAD * PANEL // LINE // MOST)
    first = body.at("%N", body.times(student, share * LINE))
    for line in range(share):
        at = body.at(first, line * LINE)
        body.do(f"call void @llvm.prefetch.p0(ptr {at}, i32 0, i32 2, i32 1)")


def _careful() -> Function:
    """The same columns; a student that is not finite is 0 where its weight is."""
    body = Body()
    panel = _Panel(body)
    panel.write(panel.sums(_unless_skipped, _nothing))
    return body.function("careful", _GIVEN)


def _unless_skipped(body: Body, student: str, weight: str) -> str:
    finite = body.compared("olt", body.of("fabs", student), constant(math.inf))
    skipped = body.compared("oeq", weight, ZEROS)
    return body.where(skipped, body.where(finite, student, ZEROS), student)


def _nothing(_: Body, __: str) -> None:
    """Is fetched: the columns have just been read."""


class _Panel:
    """The first columns, ``VECTORS`` of them, of every average; none beyond ``columns`` and ``rows``."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._masks = [self._mask("%columns", v) for v in range(VECTORS)]
        self._places = [(k, v) for k in range(GROUP) for v in range(VECTORS)]
        self._at = [body.at(body.at("%A", body.times(k, "%a")), v * LANES) for k, v in self._places]
        self._there = [self._of_row(k, v) for k, v in self._places]

    def sums(self, taken: Taken, beside: Callable[[Body, str], None]) -> list[str]:
        """Of the old average and of what is ``taken`` of each student, ``beside`` each of which something is done."""
        body = self._body
        decays = [body.everywhere(body.at("%D", k)) for k in range(GROUP)]
        cleared = [body.compared("oeq", decay, ZEROS) for decay in decays]
        sums = []
        for (k, _), at, mask in zip(self._places, self._at, self._there, strict=True):
            kept = body.by("fmul", decays[k], self._load(at, mask))
            sums.append(body.where(cleared[k], ZEROS, kept))

        def student(i: str, sums: Sequence[str]) -> list[str]:
            beside(body, i)
            s, w = body.at("%S", body.times(i, "%s")), body.at("%W", body.times(i, "%w"))
            some = [self._load(body.at(s, v * LANES), mask) for v, mask in enumerate(self._masks)]
            weights = [body.everywhere(body.at(w, k)) for k in range(GROUP)]
            return [
                body.fma(taken(body, some[v], weights[k]), weights[k], total)
                for (k, v), total in zip(self._places, sums, strict=True)
            ]

        return body.loop("%steps", student, sums)

    def write(self, sums: Sequence[str]) -> None:
        for total, at, mask in zip(sums, self._at, self._there, strict=True):
            given = f"<{LANES} x float> {total}, ptr {at}, i32 4, {mask}"
            self._body.do(f"call void @llvm.masked.store.v{LANES}f32.p0({given})")

    def _load(self, at: str, mask: str) -> str:
        """The numbers where the ``mask`` is, zeros elsewhere."""
        vector = f"<{LANES} x float>"
        given = f"ptr {at}, i32 4, {mask}, {vector} {ZEROS}"
        return self._body.let(f"call {vector} @llvm.masked.load.v{LANES}f32.p0({given})")

    def _mask(self, columns: str, v: int) -> str:
        """Of vector ``v`` the lanes before so many columns."""
        body, vector = self._body, f"<{LANES} x i64>"
        one = body.let(f"insertelement {vector} poison, i64 {columns}, i32 0")
        many = body.let(f"shufflevector {vector} {one}, {vector} poison, <{LANES} x i32> {ZEROS}")
        lanes = ", ".join(f"i64 {v * LANES + i}" for i in range(LANES))
        return f"<{LANES} x i1> " + body.let(f"icmp slt {vector} <{lanes}>, {many}")

    def _of_row(self, k: int, v: int) -> str:
        """The same of average ``k``: none if it is not there."""
        body = self._body
        there = body.let(f"icmp ult i64 {k}, %rows")
        return f"<{LANES} x i1> " + body.let(
            f"select i1 {there}, {self._masks[v]}, <{LANES} x i1> {ZEROS}"
        )
