"""Elementary functions of vectors: exp and log, by polynomials, within two units of the last place.

What they answer depends on the number alone, wherever in a vector it stands. The polynomials are those of
S. L. Moshier, Methods and Programs for Mathematical Functions (1989), for float32.
"""

from __future__ import annotations

from functools import reduce

from trainables.assembly import LANES, Body, constant

_V, _I = f"<{LANES} x float>", f"<{LANES} x i32>"

_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
_LOG = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_LOWEST, _HIGHEST = -104.0, 89.0
"""Of what is less or more exp is 0 or infinite in float32."""
_LEAST = 2.0**-126
_ROOT = 0x3F3504F3
"""The root of 1/2, by its bits: of what log takes the mantissas begin here."""


def exp(body: Body, x: str) -> str:
    """E to the power of x; 0 and infinity where float32 ends, NaN of NaN."""
    low = body.let(f"fcmp olt {_V} {x}, {constant(_LOWEST)}")
    high = body.let(f"fcmp ogt {_V} {x}, {constant(_HIGHEST)}")
    held = body.where(low, constant(_LOWEST), body.where(high, constant(_HIGHEST), x))
    times = body.of("rint", body.by("fmul", held, constant(1.4426950408889634)))
    less = body.fma(times, constant(-_LN2_HIGH), held)
    rest = body.fma(times, constant(-_LN2_LOW), less)
    top = _polynomial(body, rest, _EXP)
    found = body.fma(top, body.by("fmul", rest, rest), body.sum(rest, constant(1.0)))
    number = body.let(f"fptosi {_V} {times} to {_I}")
    half = body.let(f"ashr {_I} {number}, {_whole(1)}")
    other = body.let(f"sub {_I} {number}, {half}")
    for power in (half, other):  # in two steps, since 2^n of the least n is no normal number
        found = body.by("fmul", found, _power(body, power))
    nan = body.let(f"fcmp uno {_V} {x}, {x}")
    return body.where(nan, x, found)


def log(body: Body, x: str) -> str:
    """The natural logarithm; minus infinity of 0, NaN of what is less, infinity of infinity."""
    small = body.let(f"fcmp olt {_V} {x}, {constant(_LEAST)}")
    held = body.where(small, body.by("fmul", x, constant(2.0**23)), x)
    bits = body.let(f"bitcast {_V} {held} to {_I}")
    over = body.let(f"sub {_I} {bits}, {_whole(_ROOT)}")
    shift = body.let(f"ashr {_I} {over}, {_whole(23)}")
    power = body.let(f"sitofp {_I} {shift} to {_V}")
    power = body.where(small, body.by("fsub", power, constant(23.0)), power)
    cut = body.let(f"shl {_I} {shift}, {_whole(23)}")
    mantissa = body.let(f"bitcast {_I} {body.let(f'sub {_I} {bits}, {cut}')} to {_V}")
    rest = body.by("fsub", mantissa, constant(1.0))
    square = body.by("fmul", rest, rest)
    top = body.by("fmul", body.by("fmul", _polynomial(body, rest, _LOG), rest), square)
    top = body.fma(power, constant(_LN2_LOW), top)
    top = body.fma(square, constant(-0.5), top)
    found = body.fma(power, constant(_LN2_HIGH), body.sum(rest, top))
    infinite = body.let(f"fcmp oeq {_V} {x}, {constant(float('inf'))}")
    found = body.where(infinite, x, found)
    zero = body.let(f"fcmp oeq {_V} {x}, {constant(0.0)}")
    found = body.where(zero, constant(float("-inf")), found)
    nothing = body.let(f"fcmp ult {_V} {x}, {constant(0.0)}")
    return body.where(nothing, constant(float("nan")), found)


def _polynomial(body: Body, x: str, factors: tuple[float, ...]) -> str:
    """The first factor is of the highest power."""
    first, *others = map(constant, factors)
    return reduce(lambda sum_, factor: body.fma(sum_, x, factor), others, first)


def _power(body: Body, exponent: str) -> str:
    """2 to the power of whole numbers between -126 and 127."""
    biased = body.let(f"add {_I} {exponent}, {_whole(127)}")
    shifted = body.let(f"shl {_I} {biased}, {_whole(23)}")
    return body.let(f"bitcast {_I} {shifted} to {_V}")


def _whole(number: int) -> str:
    return constant(number, "i32")
