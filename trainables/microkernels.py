"""Microkernels: a product of small matrices of fixed shape, compiled.

C = A B, a panel of ``PANEL`` columns of B after the other, so that it stays in the first cache; of
each panel some rows of C at a time, whose sums stay in registers for as long as columns of A last. As
in K. Goto, R. van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008), doi
10.1145/1356052.1356053, without their packing of A: the matrices are small. C and B are read
along their rows, by vectors; a B that lies turned is turned panel by panel.

Each number of C is one chain of fused multiplications and additions, in the order of A's columns
and from 0 on. So it depends on its row of A and its column of B and on nothing else: not on the
shape of C, on where the matrices lie, or on how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul
from typing import NamedTuple, TypeAlias

from trainables.assembly import LANES, ZEROS, Body, Code, Function, compiled

PANEL = 2 * LANES

ROWS = range(12, 5, -1)
"""Of C at a time, the most liked first: with two vectors each, 24 of the 32 registers."""

DEPTH = 256
"""Columns of A after which the sums are put down: a panel of B with so many rows is 32 of a first cache's 48 kB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A [m, k], B [k, n], C [m, n]; the strides of A, B and C's rows, in numbers.

    C's columns lie side by side, and B's columns or rows do. To C is added, if there is one, a ``bias`` [m, n]
    of such strides, of which one is 0 and that of columns 0 or 1; then what is negative becomes 0 if ``relu``;
    then what is not positive in a mask [m, n], whose rows are ``mask`` apart.
    """

    m: int
    n: int
    k: int
    a: tuple[int, int]
    b: tuple[int, int]
    c: int
    bias: tuple[int, int] | None = None
    relu: bool = False
    mask: int | None = None

    @property
    def turned(self) -> bool:
        """Whether B has to be turned."""
        return self.n > 1 and self.b[1] != 1

    @property
    def tensors(self) -> str:
        """What is read and written, by letters: A, B, C, the bias D and the mask E."""
        return "ABC" + "D" * (self.bias is not None) + "E" * (self.mask is not None)

    def steps(self, tensor: str) -> tuple[int, int]:
        """How far apart in ``tensor`` lies what rows and columns of C are made of."""
        column = self.b[1] if self.turned else 1
        mask, bias = self.mask or 0, self.bias or (0, 0)
        steps = {"A": (self.a[0], 0), "B": (0, column), "C": (self.c, 1), "D": bias, "E": (mask, 1)}
        return steps[tensor]


class Part(NamedTuple):
    """Of a product some columns of C and of A.

    Unless these are the ``first``, it is added to what C is by now; it is done after the ``last``.
    """

    width: int
    depth: int
    first: bool
    last: bool

    @property
    def name(self) -> str:
        return f"{self.width}_{self.depth}_{self.first:d}{self.last:d}"


def kernel(shape: Shape) -> Code:
    """``call(count, A, a, B, b, C, c, ...)``: addresses of the first of ``count`` matrices, and steps to the next.

    After C come the bias and the mask, if there are any.
    """
    functions = _Functions(shape)
    functions.product()
    return compiled(functions.texts.values(), "product", 1 + 2 * len(shape.tensors))


At: TypeAlias = dict[str, str]
"""An address in each tensor, by its letter."""


class _Functions:
    """By name; each writes down those that it calls."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._tensors = shape.tensors
        self.texts: dict[str, Function] = {}

    def product(self) -> None:
        """All of ``count`` products."""
        shape, body = self._shape, Body()
        scratch = body.space(min(shape.k, DEPTH) * PANEL) if shape.turned else "null"

        def one(z: str, _: Sequence[str]) -> Sequence[str]:
            at = {x: body.at(f"%{x}", body.times(z, f"%{x}s")) for x in self._tensors}
            a, b = at["A"], at["B"]
            for k in range(0, shape.k, DEPTH):
                depth = min(DEPTH, shape.k - k)
                at |= {"A": body.at(a, k * shape.a[1]), "B": body.at(b, k * shape.b[0])}
                part = Part(shape.n, depth, first=k == 0, last=k + depth == shape.k)
                self._panels(body, at, part, scratch)
            return ()

        body.loop("%count", one)
        given = [f"ptr %{x}, i64 %{x}s" for x in self._tensors]
        self.texts["product"] = body.function("product", ["i64 %count", *given], inner=False)

    def _panels(self, body: Body, at: At, part: Part, scratch: str) -> None:
        """Whole panels of ``part``, then what is left over."""

        def one(j: int | str, width: int) -> Sequence[str]:
            places = self._moved(body, at, (0, PANEL), j)
            body.call(self._panel(part._replace(width=width)), *places.values(), scratch)
            return ()

        whole, rest = divmod(part.width, PANEL)
        if whole:
            body.loop(whole, lambda j, _: one(j, PANEL))
        if rest:
            one(whole, rest)

    def _moved(self, body: Body, at: At, by: tuple[int, int], times: int | str) -> At:
        """``times`` so many rows and columns on."""
        moved = dict(at)
        for x in at:
            step = sum(map(mul, self._shape.steps(x), by))
            if step:
                moved[x] = body.at(at[x], body.times(times, step))
        return moved

    def _panel(self, part: Part) -> str:
        """All rows of C, in tiles."""
        name = f"panel_{part.name}"
        if name in self.texts:
            return name
        shape, body, row = self._shape, Body(), self._shape.b[0]
        at = {x: f"%{x}" for x in self._tensors}
        if shape.turned:
            self._turned(body, part)
            at["B"], row = "%S", PANEL
        count, most = tiles(shape.m)

        def one(i: int | str, rows: int) -> Sequence[str]:
            places = self._moved(body, at, (most, 0), i)
            body.call(self._tile(part, rows, row), *places.values())
            return ()

        if count:
            body.loop(count, lambda i, _: one(i, most))
        if rest := shape.m - most * count:
            one(count, rest)
        self.texts[name] = body.function(name, [f"ptr %{x}" for x in self._tensors + "S"])
        return name

    def _tile(self, part: Part, rows: int, row: int) -> str:
        """``rows`` of C; B's are ``row`` numbers apart."""
        name = f"tile_{rows}_{part.name}"
        if name in self.texts:
            return name
        (by_row, by_column), body = self._shape.a, Body()
        lanes = [min(LANES, part.width - v) for v in range(0, part.width, LANES)]
        places = [(i, v) for i in range(rows) for v in range(len(lanes))]
        c = [body.at("%C", i * self._shape.c + v * LANES) for i, v in places]
        sums = [ZEROS for _ in places]
        if not part.first:
            sums = [body.load(at, lanes[v]) for at, (_, v) in zip(c, places, strict=True)]

        def column(k: str, sums: Sequence[str]) -> list[str]:
            a, b = body.at("%A", body.times(k, by_column)), body.at("%B", body.times(k, row))
            some = [body.load(body.at(b, v * LANES), wide) for v, wide in enumerate(lanes)]
            each = [body.everywhere(body.at(a, i * by_row)) for i in range(rows)]
            return [body.fma(each[i], some[v], s) for (i, v), s in zip(places, sums, strict=True)]

        sums = body.loop(part.depth, column, sums)
        for total, at, (i, v) in zip(sums, c, places, strict=True):
            done = self._ended(body, total, (i, v), lanes[v]) if part.last else total
            body.store(done, at, lanes[v])
        arguments = [f"ptr noalias %{x}" for x in self._tensors]
        self.texts[name] = body.function(name, arguments)
        return name

    def _ended(self, body: Body, total: str, place: tuple[int, int], lanes: int) -> str:
        """What becomes of a vector of sums."""
        shape, (i, v) = self._shape, place
        if shape.bias is not None:
            down, along = shape.bias
            at = body.at("%D", i * down + v * LANES * along)
            bias = body.load(at, lanes) if along else body.everywhere(at)
            total = body.sum(total, bias)
        if shape.relu:
            total = body.unless_at_most_0(total, total)
        if shape.mask is not None:
            mask = body.load(body.at("%E", i * shape.mask + v * LANES), lanes)
            total = body.unless_at_most_0(mask, total)
        return total

    def _turned(self, body: Body, part: Part) -> None:
        """B's columns, whose numbers lie side by side, as rows of ``PANEL`` numbers at %S."""
        step = self._shape.b[1]
        for j in range(0, part.width, LANES):
            for k in range(0, part.depth, LANES):
                code = turning(min(LANES, part.width - j), min(LANES, part.depth - k))
                source, there = body.at("%B", j * step + k), body.at("%S", k * PANEL + j)
                body.enter(code, f"ptr {source}", f"ptr {there}", f"i64 {step}")


@cache
def turning(columns: int, rows: int) -> Code:
    """``call(B, S, step)``: ``columns`` of B, ``step`` numbers apart, become ``rows`` of ``PANEL`` numbers at S.

    A square of vectors is turned by swapping its halves that lie across, then those of quarters, and so
    on. LLVM takes longer for that than for all the rest of a product, so it is compiled once, not for each.
    """
    body = Body()
    places = [body.at("%B", body.times("%step", j)) for j in range(columns)]
    vectors = [body.load(at, rows) for at in places] + [ZEROS] * (LANES - columns)
    half = LANES // 2
    while half:
        low = [c if not c & half else LANES + c - half for c in range(LANES)]
        high = [c + half if not c & half else LANES + c for c in range(LANES)]
        for i in (i for i in range(LANES) if not i & half):
            pair = vectors[i], vectors[i + half]
            vectors[i], vectors[i + half] = (body.shuffled(*pair, by) for by in (low, high))
        half //= 2
    for i in range(rows):
        body.store(vectors[i], body.at("%S", i * PANEL))
    given = ["ptr noalias %B", "ptr noalias %S", "i64 %step"]
    return compiled([body.function("turning", given, inner=False)], "turning", len(given))


def tiles(rows: int) -> tuple[int, int]:
    """How many tiles of how many rows; what is left over is one more tile, with fewer rows."""
    for most in ROWS:
        if rows % most == 0:
            return rows // most, most
    most = -(-rows // -(-rows // ROWS[0]))
    return rows // most, most
