"""Densities of knobs on a grid: where candidates are, in sums that do not depend on their order.

Every knob's way from 0 to 1 is divided into ``CELLS`` cells; of a choice each option is a cell. A
candidate is a kernel about its cell: a normal distribution cut off at the ends of the way, of one
of a few widths; of a choice its option alone. So what is known of any number of candidates is one
row of cells for each knob, and drawing from it costs the same however many they are.

Kernels are rounded to multiples of 2**-30. Sums of them are exact, so a row that grew candidate by
candidate is bit for bit the one that is made of them all at once (``tests/search/test_densities.py``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spaces.domains import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from spaces.space import Domain

Rows: TypeAlias = NDArray[np.float64]
"""A row of cells for each knob, none of them negative: [knobs, cells]."""

Row: TypeAlias = NDArray[np.float64]

Cells: TypeAlias = tuple[int, ...]
"""A candidate's cells, ``OUT`` for a knob that is not in play: [knobs]."""

CELLS = 256
WIDTHS = 14
"""Standard deviations of kernels: 2**(-k / 2) of the way for k = 0, 1, ..., that is from all of it
to a ninetieth."""

NEIGHBOURS = 1.5
OUT = -1
_EXACT = 2.0**30
_NARROWEST = 200
"""Of more candidates than this kernels are as narrow as they get."""


class Grid:
    """The cells of a space's knobs, in the order in which they are given."""

    def __init__(self, knobs: Mapping[str, Domain]) -> None:
        self.at = {name: at for at, name in enumerate(knobs)}
        """Which knob a name is."""
        options = [len(d.options) if isinstance(d, Choice) else 0 for d in knobs.values()]
        self.cells = max([CELLS, *options])
        self.kernels = kernels(self.cells)
        self.choices = np.array(options, dtype=np.int64) > 0
        """Which knobs are choices. [knobs]."""
        self.sizes = np.where(self.choices, options, self.cells)
        """How many cells each has that can be drawn. [knobs]."""
        share = np.where(self.choices, 1.0, 1 / self.sizes)[:, None]
        self.prior: Rows = share * (np.arange(self.cells) < self.sizes[:, None])
        """What is believed before anything is known: one candidate, spread evenly; of a choice one
        of each option, without which an option of bad luck would not be drawn again."""
        self.places: list[int] = np.flatnonzero(self.choices).tolist()
        """Of the choices, which knobs they are."""
        self.drawable = self.prior[self.places, : max(options, default=0)] > 0
        """Which options each choice has. [choices, options]."""
        self.options = np.ix_(self.places, range(self.drawable.shape[1]))
        """Where of the rows of all knobs these are."""
        self._nowhere = [OUT] * len(options)
        self._latest: list[tuple[Any, int]] = [(None, OUT)] * len(options)
        self._each = [
            (domain.way, size)
            for domain, size in zip(knobs.values(), self.sizes.tolist(), strict=True)
        ]

    def __len__(self) -> int:
        return len(self.at)

    def of(self, knobs: Mapping[str, Any]) -> Cells:
        """A candidate's cells. [knobs]."""
        cells = self._nowhere.copy()
        for name, value in knobs.items():
            at = self.at[name]
            known, cell = self._latest[at]
            if value is not known:  # averages of a student share what they have of it
                way, size = self._each[at]
                cell = min(int(way(value) * size), size - 1)
                self._latest[at] = value, cell
            cells[at] = cell
        return tuple(cells)

    def way(self, knob: int, cell: int, within: float) -> float:
        """How far along its way a cell of a knob is, and ``within`` it as far as is said in [0, 1)."""
        return (cell + within) / self._each[knob][1]


class Ground:
    """The density of everything that was asked for, as a row for each knob.

    Kernels get narrower with the number n of candidates that had the knob: ``1.5 / n`` of the way, about
    as far as neighbours are apart. The factor is ours.

    What comes in waits until its knob is looked at: averages of a student have the same of most
    knobs, so that a row grows by eight of them at once.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._waiting: list[dict[int, int]] = [{} for _ in range(len(grid))]
        """By knob, how many more each cell has than is counted."""
        self._counts = np.zeros((len(grid), grid.cells))
        self._many = [0] * len(grid)
        narrowing = width(NEIGHBOURS / np.arange(_NARROWEST + 1).clip(1))
        self._widths: list[int] = narrowing.tolist()  # [how many]
        self._width = [self._widths[0]] * len(grid)
        self._rows = np.zeros((len(grid), grid.cells))  # of choices nothing
        self._had = np.zeros(grid.drawable.shape)

    def add(self, cells: Cells) -> None:
        """Takes in one more candidate. [knobs]."""
        self._take(cells, 1)

    def remove(self, cells: Cells) -> None:
        """As if a candidate that was added had never been. [knobs]."""
        self._take(cells, -1)

    def row(self, knob: int) -> Row:
        """The density along a knob that is no choice, not to be written to. [cells]."""
        if self._waiting[knob]:
            self._count(knob, self._waiting[knob])
            self._waiting[knob] = {}
        return self._rows[knob]

    @property
    def rows(self) -> Rows:
        """The densities of all knobs. [knobs, cells]."""
        for knob in np.flatnonzero(~self._grid.choices).tolist():
            self.row(knob)
        rows = self._rows.copy()
        rows[self._grid.options] = self.had()
        return rows

    def had(self) -> Rows:
        """How many candidates had each option of each choice, not to be written to. [choices, options]."""
        for had, knob in zip(self._had, self._grid.places, strict=True):
            if self._waiting[knob]:
                for cell, more in self._waiting[knob].items():
                    had[cell] += more
                self._waiting[knob] = {}
        return self._had

    def _take(self, cells: Cells, sign: int) -> None:
        for waiting, cell in zip(self._waiting, cells, strict=True):
            if cell != OUT:
                waiting[cell] = waiting.get(cell, 0) + sign

    def _count(self, knob: int, waiting: Mapping[int, int]) -> None:
        counts, row = self._counts[knob], self._rows[knob]
        for cell, more in waiting.items():
            counts[cell] += more
        self._many[knob] += sum(waiting.values())
        wide = self._widths[min(self._many[knob], _NARROWEST)]
        kernels = self._grid.kernels[wide]
        if wide != self._width[knob]:
            self._width[knob] = wide
            row[:] = counts @ kernels
        else:
            for cell, more in waiting.items():
                row += kernels[cell] if more == 1 else more * kernels[cell]


def spread(grid: Grid, few: Sequence[Cells]) -> Rows:
    """The density of a few candidates: as wide as the gap to the farther neighbour. Sum: their number.

    Bandwidths as in Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011:
    at least 1 / (n + 2) of the way, and a hundredth.
    """
    columns = np.sort(np.array(few, dtype=np.int64).reshape(-1, len(grid)).T, axis=1)
    knobs, places = np.nonzero(columns != OUT)  # one knob after another
    inside = columns[knobs, places]
    about = grid.kernels[_widths(grid, knobs, inside), inside]
    # A product, since NumPy takes three times as long to add up stretches of rows.
    whose: Rows = np.equal.outer(np.arange(len(grid)), knobs).astype(np.float64)
    return whose @ about


def _widths(grid: Grid, knobs: NDArray[np.int64], inside: NDArray[np.int64]) -> NDArray[np.int64]:
    """The width of each kernel: about the cells ``inside`` of ``knobs``, both ascending. [kernels]."""
    many = np.bincount(knobs, minlength=1)[knobs]
    gaps = np.zeros(len(inside) + 1)
    gaps[1:-1] = np.diff(inside) * (knobs[1:] == knobs[:-1])
    farther = np.maximum(gaps[1:], gaps[:-1])
    to_ends = np.maximum(inside, grid.cells - 1 - inside)  # of one that has no neighbour
    sigma = np.where(many == 1, to_ends, farther) / grid.cells
    found = width(np.maximum(sigma, 1 / np.minimum(100, many + 2)))
    return np.where(grid.choices[knobs], WIDTHS, found)


def width(sigma: Rows) -> NDArray[np.int64]:
    """The number of the kernels that are nearest to ``sigma`` of the way wide."""
    nearest = np.rint(-2 * np.log2(sigma))
    return np.minimum(np.maximum(nearest, 0), WIDTHS - 1).astype(np.int64)


@lru_cache(maxsize=4)
def kernels(cells: int) -> NDArray[np.float64]:
    """Of every width the kernel about each cell, and last that of choices. [WIDTHS + 1, cells, cells]."""
    apart = np.subtract.outer(np.arange(cells), np.arange(cells)) / cells
    out = np.empty((WIDTHS + 1, cells, cells))
    for k in range(WIDTHS):
        bell = np.exp(-0.5 * (apart * 2 ** (k / 2)) ** 2)
        out[k] = np.rint(_EXACT * bell / bell.sum(axis=1, keepdims=True)) / _EXACT
    out[WIDTHS] = np.eye(cells)
    return out
