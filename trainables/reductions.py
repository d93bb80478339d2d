"""Reductions: sums and softmaxes along axes, as they are written down in LLVM's language.

Sums are chains: a number after the other in the order of the axes, however tensors lie. Several of
them, of other numbers along the remaining axes, are computed side by side in a vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import ops

from trainables.assembly import ZEROS, Body, constant
from trainables.elementary import exp, log
from trainables.nests import Place, carry

_aten = ops.aten

LONGEST = 2**12
"""Numbers in a chain of sums; of more the last would round too much."""


class Reduction(NamedTuple):
    """A reduction of the first ``given`` arguments, along the axes of the argument ``along`` (all if that is not there).

    ``write(body, places, lanes, sizes)`` is given where the result is, then what it is made of. The result ``keeps`` the axes of
    ``sizes``, or each has become one number.
    """

    write: Callable[[Body, Sequence[Place], int, Sequence[int]], None]
    along: int
    given: int = 1
    keeps: bool = False

    def axes(self, args: Sequence[Any], rank: int) -> set[int]:
        """Along which it goes, of tensors of so many axes."""
        told = args[self.along] if len(args) > self.along else None
        some = range(rank) if told in (None, []) else [told] if isinstance(told, int) else told
        return {axis % rank for axis in some}


def _load(body: Body, at: str, place: Place, lanes: int) -> str:
    return body.read(at, place.steps[0], lanes)


def _total(body: Body, place: Place, lanes: int, sizes: Sequence[int]) -> str:
    """The sum of a place's numbers."""

    def add(at: Sequence[str], held: Sequence[str]) -> Sequence[str]:
        return [body.sum(held[0], _load(body, at[0], place, lanes))]

    return carry(body, sizes, [place], add, [ZEROS])[0]


def _sum(body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]) -> None:
    out, x = places
    body.write(_total(body, x, lanes, sizes), out.at, out.steps[0], lanes)


def _mean(body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]) -> None:
    out, x = places
    mean = body.by("fdiv", _total(body, x, lanes, sizes), constant(math.prod(sizes)))
    body.write(mean, out.at, out.steps[0], lanes)


def _peak(body: Body, x: Place, lanes: int, sizes: Sequence[int]) -> str:
    def larger(at: Sequence[str], held: Sequence[str]) -> Sequence[str]:
        number = _load(body, at[0], x, lanes)
        return [body.where(body.compared("ogt", number, held[0]), number, held[0])]

    return carry(body, sizes, [x], larger, [constant(-math.inf)])[0]


def _rewritten(
    body: Body, out: Place, lanes: int, sizes: Sequence[int], of: Callable[[str], str]
) -> None:
    """``of`` all numbers of the result, in their places."""

    def one(at: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        body.write(of(_load(body, at[0], out, lanes)), at[0], out.steps[0], lanes)
        return ()

    carry(body, sizes, [out], one, ())


def _softmax(body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]) -> None:
    """E^(x - max) / sum of these."""
    out, x = places
    peak = _peak(body, x, lanes, sizes)

    def power(at: Sequence[str], held: Sequence[str]) -> Sequence[str]:
        found = exp(body, body.by("fsub", _load(body, at[1], x, lanes), peak))
        body.write(found, at[0], out.steps[0], lanes)
        return [body.sum(held[0], found)]

    (total,) = carry(body, sizes, places, power, [ZEROS])
    _rewritten(body, out, lanes, sizes, lambda found: body.by("fdiv", found, total))


def _log_softmax(body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]) -> None:
    """(x - max) - log of the sum of e^(x - max)."""
    out, x = places
    peak = _peak(body, x, lanes, sizes)

    def power(at: Sequence[str], held: Sequence[str]) -> Sequence[str]:
        over = body.by("fsub", _load(body, at[1], x, lanes), peak)
        body.write(over, at[0], out.steps[0], lanes)
        return [body.sum(held[0], exp(body, over))]

    (total,) = carry(body, sizes, places, power, [ZEROS])
    least = log(body, total)
    _rewritten(body, out, lanes, sizes, lambda over: body.by("fsub", over, least))


def _softmax_slope(body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]) -> None:
    """S (g - sum g s), of the slope g of the softmax s."""
    out, slope, soft = places

    def both(at: Sequence[str]) -> tuple[str, str]:
        return _load(body, at[1], slope, lanes), _load(body, at[2], soft, lanes)

    def add(at: Sequence[str], held: Sequence[str]) -> Sequence[str]:
        return [body.fma(*both(at), held[0])]

    (total,) = carry(body, sizes, places, add, [ZEROS])

    def less(at: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        g, s = both(at)
        found = body.by("fmul", s, body.by("fsub", g, total))
        body.write(found, at[0], out.steps[0], lanes)
        return ()

    carry(body, sizes, places, less, ())


def _log_softmax_slope(
    body: Body, places: Sequence[Place], lanes: int, sizes: Sequence[int]
) -> None:
    """G - e^l sum g, of the slope g of the log-softmax l."""
    out, slope, logs = places
    total = _total(body, slope, lanes, sizes)

    def less(at: Sequence[str], _: Sequence[str]) -> Sequence[str]:
        g, soft = _load(body, at[1], slope, lanes), exp(body, _load(body, at[2], logs, lanes))
        found = body.by("fsub", g, body.by("fmul", soft, total))
        body.write(found, at[0], out.steps[0], lanes)
        return ()

    carry(body, sizes, places, less, ())


REDUCTIONS: dict[Any, Reduction] = {
    _aten.sum.default: Reduction(_sum, 1),
    _aten.sum.dim_IntList: Reduction(_sum, 1),
    _aten.mean.default: Reduction(_mean, 1),
    _aten.mean.dim: Reduction(_mean, 1),
    _aten._softmax.default: Reduction(_softmax, 1, keeps=True),  # noqa: SLF001 - names of kernels
    _aten._log_softmax.default: Reduction(_log_softmax, 1, keeps=True),  # noqa: SLF001
    _aten._softmax_backward_data.default: Reduction(_softmax_slope, 2, 2, keeps=True),  # noqa: SLF001
    _aten._log_softmax_backward_data.default: Reduction(_log_softmax_slope, 2, 2, keeps=True),  # noqa: SLF001
}
