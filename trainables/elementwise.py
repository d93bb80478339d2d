"""Kernels of one number at a time, as they are written down in LLVM's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch import ops

from trainables.assembly import LANES, ZEROS, Body, UnsupportedError, constant
from trainables.elementary import exp, log

_aten = ops.aten
_V, _M = f"<{LANES} x float>", f"<{LANES} x i1>"


class Elementwise(NamedTuple):
    """``of`` a body and vectors: of float32 numbers, and where they are ``masks`` of bools. It gives bools if ``chooses``."""

    of: Callable[..., str]
    masks: tuple[int, ...] = ()
    chooses: bool = False


def _by(what: str) -> Elementwise:
    return Elementwise(lambda body, x, y: body.by(what, x, y))


def _compared(how: str) -> Elementwise:
    def of(body: Body, x: str, y: str) -> str:
        return body.compared(how, x, y)

    return Elementwise(of, chooses=True)


def _negative(body: Body, x: str) -> str:
    return body.let(f"fneg {_V} {x}")


def _root(body: Body, x: str) -> str:
    return body.of("sqrt", x)


def _reciprocal(body: Body, x: str) -> str:
    return body.by("fdiv", constant(1.0), x)


def _square(body: Body, x: str) -> str:
    return body.by("fmul", x, x)


def _power(body: Body, x: str, to: str) -> str:
    if to == constant(2.0):
        return _square(body, x)
    if to == constant(1.0):
        return x
    raise UnsupportedError("powers other than 1 and 2")


def _relu(body: Body, x: str) -> str:
    return body.unless_at_most_0(x, x)


def _slope(body: Body, slope: str, x: str, least: str) -> str:
    """Of what is 0 up to ``least`` and the number itself above."""
    return body.where(body.compared("ole", x, least), ZEROS, slope)


def _where(body: Body, mask: str, x: str, y: str) -> str:
    return body.where(mask, x, y)


def _filled(body: Body, x: str, mask: str, value: str) -> str:
    return body.where(mask, value, x)


def _at_least(body: Body, x: str, least: str) -> str:
    return body.where(body.compared("olt", x, least), least, x)


def _clamped(body: Body, x: str, least: str | None, most: str | None = None) -> str:
    if least is not None:
        x = _at_least(body, x, least)
    return x if most is None else body.where(body.compared("ogt", x, most), most, x)


def _size(body: Body, x: str) -> str:
    return body.of("fabs", x)


def _sign(body: Body, x: str) -> str:
    """0 of 0, and NaN of NaN."""
    low = body.where(body.compared("olt", x, ZEROS), constant(-1.0), x)
    return body.where(body.compared("ogt", x, ZEROS), constant(1.0), low)


def _moved(body: Body, x: str, to: str, share: str) -> str:
    """X + share (to - x), rounded twice."""
    return body.fma(share, body.by("fsub", to, x), x)


def _more(body: Body, x: str, y: str, z: str, times: str | None = None) -> str:
    """X + times y z."""
    return body.fma(y if times is None else body.by("fmul", times, y), z, x)


def _plus(body: Body, x: str, y: str, times: str | None = None) -> str:
    return body.sum(x, y) if times is None else body.fma(times, y, x)


def _minus(body: Body, x: str, y: str, times: str | None = None) -> str:
    return body.by("fsub", x, y if times is None else body.by("fmul", times, y))


def _minus_from(body: Body, x: str, y: str, times: str | None = None) -> str:
    """Y - times x."""
    return _minus(body, y, x, times)


def _or(body: Body, mask: str, other: str) -> str:
    return body.let(f"or {_M} {mask}, {other}")


def _not(body: Body, mask: str) -> str:
    return body.let(f"xor {_M} {mask}, {constant(1, 'i1')}")


def _and(body: Body, mask: str, other: str) -> str:
    return body.let(f"and {_M} {mask}, {other}")


def _itself(_: Body, x: str) -> str:
    return x


ITSELF = Elementwise(_itself)

ELEMENTWISE: dict[Any, Elementwise] = {
    _aten.add.Tensor: Elementwise(_plus),
    _aten.add.Scalar: Elementwise(_plus),
    _aten.sub.Tensor: Elementwise(_minus),
    _aten.sub.Scalar: Elementwise(_minus),
    _aten.mul.Tensor: _by("fmul"),
    _aten.mul.Scalar: _by("fmul"),
    _aten.div.Tensor: _by("fdiv"),
    _aten.div.Scalar: _by("fdiv"),
    _aten.neg.default: Elementwise(_negative),
    _aten.exp.default: Elementwise(exp),
    _aten.log.default: Elementwise(log),
    _aten.sqrt.default: Elementwise(_root),
    _aten.pow.Tensor_Scalar: Elementwise(_power),
    _aten.square.default: Elementwise(_square),
    _aten.reciprocal.default: Elementwise(_reciprocal),
    _aten.relu.default: Elementwise(_relu),
    _aten.threshold_backward.default: Elementwise(_slope),
    _aten.where.self: Elementwise(_where, masks=(0,)),
    _aten.masked_fill.Scalar: Elementwise(_filled, masks=(1,)),
    _aten.clamp_min.default: Elementwise(_at_least),
    _aten.clamp.default: Elementwise(_clamped),
    _aten.rsub.Scalar: Elementwise(_minus_from),
    _aten.abs.default: Elementwise(_size),
    _aten.sgn.default: Elementwise(_sign),
    _aten.sign.default: Elementwise(_sign),
    _aten.lerp.Tensor: Elementwise(_moved),
    _aten.lerp.Scalar: Elementwise(_moved),
    _aten.addcmul.default: Elementwise(_more),
    _aten.bitwise_or.Tensor: Elementwise(_or, masks=(0, 1), chooses=True),
    _aten.logical_or.default: Elementwise(_or, masks=(0, 1), chooses=True),
    _aten.clone.default: ITSELF,
    _aten._to_copy.default: ITSELF,  # noqa: SLF001 - the name of a kernel
    **{
        of: _compared(how)
        for packet, how in (
            (_aten.le, "ole"),
            (_aten.lt, "olt"),
            (_aten.ge, "oge"),
            (_aten.gt, "ogt"),
            (_aten.eq, "oeq"),
            (_aten.ne, "une"),
        )
        for of in (packet.Scalar, packet.Tensor)
    },
    _aten.logical_not.default: Elementwise(_not, masks=(0,), chooses=True),
    _aten.logical_and.default: Elementwise(_and, masks=(0, 1), chooses=True),
    _aten.bitwise_not.default: Elementwise(_not, masks=(0,), chooses=True),
    _aten.bitwise_and.Tensor: Elementwise(_and, masks=(0, 1), chooses=True),
}


def _in_place() -> Iterator[tuple[Any, Any]]:
    """What writes its result over its first argument or into ``out``, and what computes it."""
    for of in ELEMENTWISE:
        packet, overload = of.overloadpacket, of._overloadname  # noqa: SLF001 - has no public name
        over = getattr(_aten, f"{packet.__name__}_", None)
        yield getattr(over, overload, None), of
        yield getattr(packet, f"{overload}_out", None) or getattr(packet, "out", None), of


IN_PLACE: dict[Any, Any] = {over: of for over, of in _in_place() if over is not None} | {
    _aten.pow_.Scalar: _aten.pow.Tensor_Scalar
}


def vector(body: Body, loaded: str, *, is_bool: bool, mask: bool) -> str:
    """What was ``loaded`` of numbers or bytes, as a kernel takes it: bools if a ``mask``."""
    if is_bool:
        loaded = body.let(f"icmp ne <{LANES} x i8> {loaded}, {ZEROS}")
        return loaded if mask else body.let(f"uitofp {_M} {loaded} to {_V}")
    return body.let(f"fcmp une {_V} {loaded}, {ZEROS}") if mask else loaded


def bytes_of(body: Body, made: str, *, chosen: bool, is_bool: bool) -> str:
    """What is to be stored of what a kernel gave: bytes if ``is_bool``. It was ``chosen`` if it gave bools."""
    if not is_bool:
        return body.let(f"uitofp {_M} {made} to {_V}") if chosen else made
    if not chosen:
        made = body.let(f"fcmp une {_V} {made}, {ZEROS}")
    return body.let(f"zext {_M} {made} to <{LANES} x i8>")
