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
from typing import NamedTuple

from trainables.assembly import LANES, ZEROS, Body, Code, compiled

PANEL = 2 * LANES

ROWS = range(12, 5, -1)
"""Of C at a time, the most liked first: with two vectors each, 24 of the 32 registers."""

DEPTH = 256
"""Columns of A after which the sums are put down: a panel of B with so many rows is 32 of a first cache's 48 kB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A [m, k], B [k, n], C [m, n]; the strides of A, B and C's rows, in numbers.

    C's columns lie side by side, and B's columns or rows do.
    """

    m: int
    n: int
    k: int
    a: tuple[int, int]
    b: tuple[int, int]
    c: int

    @property
    def turned(self) -> bool:
        """Whether B has to be turned."""
        return self.n > 1 and self.b[1] != 1


class Part(NamedTuple):
    """Of a product some columns of C and of A; ``first``: else it is added to what C is by now."""

    width: int
    depth: int
    first: bool


def kernel(shape: Shape) -> Code:
    """``call(count, A, a, B, b, C, c)``: addresses of the first of ``count`` matrices, and steps to the next."""
    functions = _Functions(shape)
    functions.product()
    return compiled(functions.texts.values(), "product", 7)


class _Functions:
    """By name; each writes down those that it calls."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.texts: dict[str, str] = {}

    def product(self) -> None:
        """All of ``count`` products."""
        shape, body = self._shape, Body()
        scratch = body.space(min(shape.k, DEPTH) * PANEL) if shape.turned else "null"

        def one(z: str, _: Sequence[str]) -> Sequence[str]:
            a, b, c = (body.at(f"%{x}", body.times(z, f"%{x}s")) for x in "ABC")
            for k in range(0, shape.k, DEPTH):
                at = body.at(a, k * shape.a[1]), body.at(b, k * shape.b[0]), c, scratch
                self._panels(body, at, Part(shape.n, min(DEPTH, shape.k - k), first=k == 0))
            return ()

        body.loop("%count", one)
        given = ["i64 %count", *(x for m in "ABC" for x in (f"ptr %{m}", f"i64 %{m}s"))]
        self.texts["product"] = body.function("product", given, inner=False)

    def _panels(self, body: Body, at: tuple[str, str, str, str], part: Part) -> None:
        """Whole panels of ``part``, then what is left over."""
        a, b, c, scratch = at
        column = self._shape.b[1] if self._shape.turned else 1

        def one(j: int | str, width: int) -> Sequence[str]:
            places = body.at(b, body.times(j, PANEL * column)), body.at(c, body.times(j, PANEL))
            body.call(self._panel(part._replace(width=width)), a, *places, scratch)
            return ()

        whole, rest = divmod(part.width, PANEL)
        if whole:
            body.loop(whole, lambda j, _: one(j, PANEL))
        if rest:
            one(whole, rest)

    def _panel(self, part: Part) -> str:
        """All rows of C, in tiles."""
        name = f"panel_{part.width}_{part.depth}_{part.first:d}"
        if name in self.texts:
            return name
        shape, body, b, row = self._shape, Body(), "%B", self._shape.b[0]
        if shape.turned:
            self._turned(body, part)
            b, row = "%S", PANEL
        count, most = tiles(shape.m)

        def one(i: int | str, rows: int) -> Sequence[str]:
            a, c = (body.times(i, most * by) for by in (shape.a[0], shape.c))
            tile = self._tile(part, rows, row)
            body.call(tile, body.at("%A", a), b, body.at("%C", c))
            return ()

        if count:
            body.loop(count, lambda i, _: one(i, most))
        if rest := shape.m - most * count:
            one(count, rest)
        self.texts[name] = body.function(name, ["ptr %A", "ptr %B", "ptr %C", "ptr %S"])
        return name

    def _tile(self, part: Part, rows: int, row: int) -> str:
        """``rows`` of C; B's are ``row`` numbers apart."""
        name = f"tile_{rows}_{part.width}_{part.depth}_{part.first:d}"
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
        for total, at, (_, v) in zip(sums, c, places, strict=True):
            body.store(total, at, lanes[v])
        arguments = [f"ptr noalias %{x}" for x in "ABC"]
        self.texts[name] = body.function(name, arguments)
        return name

    def _turned(self, body: Body, part: Part) -> None:
        """B's columns, whose numbers lie side by side, as rows of ``PANEL`` numbers at %S."""
        for j in range(0, part.width, LANES):
            for k in range(0, part.depth, LANES):
                name = self._turn(min(LANES, part.width - j), min(LANES, part.depth - k))
                source = body.at("%B", j * self._shape.b[1] + k)
                body.call(name, source, body.at("%S", k * PANEL + j))

    def _turn(self, columns: int, rows: int) -> str:
        """A square of vectors, by swapping its halves that lie across, then those of quarters, and so on."""
        name, body = f"turn_{columns}_{rows}", Body()
        if name in self.texts:
            return name
        places = [body.at("%B", j * self._shape.b[1]) for j in range(columns)]
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
        self.texts[name] = body.function(name, ["ptr noalias %B", "ptr noalias %S"])
        return name


def tiles(rows: int) -> tuple[int, int]:
    """How many tiles of how many rows; what is left over is one more tile, with fewer rows."""
    for most in ROWS:
        if rows % most == 0:
            return rows // most, most
    most = -(-rows // -(-rows // ROWS[0]))
    return rows // most, most
