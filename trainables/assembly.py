"""Assembly: functions written down in LLVM's language, of vectors of float32 numbers.

The language is defined at https://llvm.org/docs/LangRef.html. Addresses and numbers are given and
taken by their names in the text, such as ``%v3``, or as they are.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from llvmlite import binding as llvm

from trainables.objectfiles import object_file

LANES = 16
"""Float32 numbers in a vector register of AVX-512. On a narrower processor LLVM takes several."""

_V = f"<{LANES} x float>"
_P = f"<{LANES} x ptr>"
_M = f"<{LANES} x i1>"

FLOAT, BYTE, LONG = "float", "i8", "i64"
"""Numbers of float32, of bool and of int64."""

_SHORT = {FLOAT: "f32", BYTE: "i8", LONG: "i64"}
_ALIGNED = {FLOAT: 4, BYTE: 1, LONG: 8}


def _declared() -> Iterator[str]:
    yield f"declare {_V} @llvm.fma.v{LANES}f32({_V}, {_V}, {_V})"
    yield f"declare {_V} @llvm.sqrt.v{LANES}f32({_V})"
    yield f"declare {_V} @llvm.rint.v{LANES}f32({_V})"
    yield f"declare {_V} @llvm.fabs.v{LANES}f32({_V})"
    for number, short in _SHORT.items():
        vector, name = f"<{LANES} x {number}>", f"v{LANES}{short}"
        yield f"declare {vector} @llvm.masked.load.{name}.p0(ptr, i32, {_M}, {vector})"
        yield f"declare void @llvm.masked.store.{name}.p0({vector}, ptr, i32, {_M})"
        yield f"declare {vector} @llvm.masked.gather.{name}.v{LANES}p0({_P}, i32, {_M}, {vector})"
        yield f"declare void @llvm.masked.scatter.{name}.v{LANES}p0({vector}, {_P}, i32, {_M})"


_WIDE = '"prefer-vector-width"="512" "min-legal-vector-width"="512"'
_HEAD = "\n".join([*_declared(), f"attributes #0 = {{ {_WIDE} }}", ""])

ZEROS = "zeroinitializer"

_OPTIMISED = 2
"""LLVM's level, of 3."""


class UnsupportedError(Exception):
    """There are kernels that cannot be written down here."""


class Function(NamedTuple):
    """The ``text`` of a function, and what is outside of it: code that it enters and constants, as its module has them."""

    text: str
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A function in machine code, to be called with addresses and numbers; it lives as long as this.

    It begins at ``address``; other code knows it by its ``symbol``.
    """

    call: Callable[..., None]
    address: int
    symbol: str
    engine: Any


def compiled(functions: Iterable[Function], name: str, arguments: int) -> Code:
    """The function called ``name``, which has so many arguments, in this processor's code.

    The text says all that it depends on, so that what another process has compiled is taken (``trainables/objectfiles.py``).
    """
    told = tuple(functions)
    beside = sorted(frozenset().union(*(f.beside for f in told)))
    text = "\n".join([_HEAD, *beside, *(f.text for f in told)])
    digest = sha256(f"{_processor()}\n{text}".encode()).hexdigest()
    body = object_file(digest, lambda: _object_code(text))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(body))
    engine.finalize_object()
    address, symbol = engine.get_function_address(name), f"code_{digest}"
    llvm.add_symbol(symbol, address)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * arguments)(address)
    return Code(call, address, symbol, engine)


def _object_code(text: str) -> bytes:
    module = llvm.parse_assembly(text)
    module.verify()
    code: bytes = _machine().emit_object(module)
    return code


def _machine() -> llvm.TargetMachine:
    _start()
    target = llvm.Target.from_default_triple()
    cpu, features = _host()
    return target.create_target_machine(cpu=cpu, features=features, opt=_OPTIMISED, jit=True)


@cache
def _host() -> tuple[str, str]:
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def _processor() -> str:
    """Who compiles for what."""
    return f"{llvm.llvm_version_info} {_OPTIMISED} {llvm.get_default_triple()} {_host()}"


@cache
def _start() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


class Body:
    """The instructions of one function."""

    def __init__(self) -> None:
        self._lines = ["entry:"]
        self._names = 0
        self._beside: set[str] = set()

    def function(self, name: str, arguments: Sequence[str], *, inner: bool = True) -> Function:
        """All of it. ``inner``: called by others of its module alone, and not copied into them."""
        how, kept = ("define internal", " noinline") if inner else ("define", "")
        lines = "\n".join([*self._lines, "  ret void"])
        text = f"{how} void @{name}({', '.join(arguments)}){kept} #0 {{\n{lines}\n}}\n"
        return Function(text, frozenset(self._beside))

    def mark(self) -> str:
        """A line that `fill` can put others in the place of."""
        line = f"  ; {self._name()}"
        self._lines.append(line)
        return line

    def fill(self, mark: str, lines: Sequence[str]) -> None:
        """Puts ``lines`` where the ``mark`` is."""
        at = self._lines.index(mark)
        self._lines[at : at + 1] = [f"  {line}" for line in lines]

    def do(self, line: str) -> None:
        """An instruction that gives nothing."""
        self._lines.append(f"  {line}")

    def let(self, value: str) -> str:
        """The name of what an instruction gives."""
        name = self._name()
        self.do(f"{name} = {value}")
        return name

    def call(self, name: str, *addresses: str) -> None:
        """Another function, of addresses."""
        self.do(f"call void @{name}({', '.join(f'ptr {at}' for at in addresses)})")

    def enter(self, code: Code, *given: str) -> None:
        """Machine code, ``given`` addresses and numbers with their types, such as ``i64 1``."""
        self._beside.add(f"declare void @{code.symbol}({', '.join(g.split()[0] for g in given)})")
        self.do(f"call void @{code.symbol}({', '.join(given)})")

    def hold(self, numbers: bytes) -> str:
        """The address of numbers that never change."""
        name = f"@held_{sha256(numbers).hexdigest()}"
        text = "".join(f"\\{byte:02x}" for byte in numbers)
        self._beside.add(f'{name} = private global [{len(numbers)} x i8] c"{text}", align 64')
        return name

    def space(self, numbers: int) -> str:
        """The address of so many numbers that are the function's own."""
        return self.let(f"alloca [{numbers} x float], align 64")

    def times(self, number: int | str, by: int | str) -> str:
        """The product of two whole numbers."""
        return self.let(f"mul i64 {number}, {by}")

    def at(self, base: str, offset: int | str, number: str = FLOAT) -> str:
        """The address ``offset`` numbers after ``base``."""
        return (
            base if offset == 0 else self.let(f"getelementptr {number}, ptr {base}, i64 {offset}")
        )

    def loop(
        self,
        count: int | str,
        of: Callable[[str, list[str]], Sequence[str]],
        carried: Sequence[str] = (),
    ) -> list[str]:
        """``of`` each number under ``count``, of which there is one at least, and the vectors ``carried``.

        It gives the vectors to be carried to the next, the last of which are returned.
        """
        before, inside, after = (f"{word}{self._names}" for word in ("before", "inside", "after"))
        i, following, more = self._name(), self._name(), self._name()
        held = [self._name() for _ in carried]
        self._lines += [f"  br label %{before}", f"{before}:", f"  br label %{inside}"]
        self._lines.append(f"{inside}:")
        top = len(self._lines)
        ends = list(of(i, held))
        last = next(line for line in reversed(self._lines) if line.endswith(":"))[:-1]
        phis = [f"  {i} = phi i64 [0, %{before}], [{following}, %{last}]"]
        for name, first, end in zip(held, carried, ends, strict=True):
            phis.append(f"  {name} = phi {_V} [{first}, %{before}], [{end}, %{last}]")
        self._lines[top:top] = phis
        self.do(f"{following} = add i64 {i}, 1")
        self.do(f"{more} = icmp ult i64 {following}, {count}")
        self._lines += [f"  br i1 {more}, label %{inside}, label %{after}", f"{after}:"]
        return ends

    def load(self, at: str, lanes: int = LANES, number: str = FLOAT) -> str:
        """The first ``lanes`` numbers of a vector, zeros after them."""
        vector, align = f"<{LANES} x {number}>", _ALIGNED[number]
        if lanes == LANES:
            return self.let(f"load {vector}, ptr {at}, align {align}")
        given = f"ptr {at}, i32 {align}, {_mask(lanes)}, {vector} {ZEROS}"
        name = f"v{LANES}{_SHORT[number]}"
        return self.let(f"call {vector} @llvm.masked.load.{name}.p0({given})")

    def store(self, value: str, at: str, lanes: int = LANES, number: str = FLOAT) -> None:
        """The first ``lanes`` numbers of ``value``."""
        vector, align = f"<{LANES} x {number}>", _ALIGNED[number]
        if lanes == LANES:
            self.do(f"store {vector} {value}, ptr {at}, align {align}")
            return
        given = f"{vector} {value}, ptr {at}, i32 {align}, {_mask(lanes)}"
        self.do(f"call void @llvm.masked.store.v{LANES}{_SHORT[number]}.p0({given})")

    def shuffled(self, one: str, other: str, lanes: Iterable[int]) -> str:
        """The vector of these lanes of two, the second's counted on from the first's."""
        picked = ", ".join(f"i32 {lane}" for lane in lanes)
        return self.let(f"shufflevector {_V} {one}, {_V} {other}, <{LANES} x i32> <{picked}>")

    def everywhere(self, at: str, number: str = FLOAT) -> str:
        """The vector of one number again and again."""
        vector = f"<{LANES} x {number}>"
        one = self.let(f"load {number}, ptr {at}, align {_ALIGNED[number]}")
        first = self.let(f"insertelement {vector} poison, {number} {one}, i32 0")
        return self.let(f"shufflevector {vector} {first}, {vector} poison, <{LANES} x i32> {ZEROS}")

    def read(self, at: str, step: int, lanes: int, number: str = FLOAT) -> str:
        """The vector of ``lanes`` numbers that lie ``step`` apart, zeros after them."""
        if step == 0:
            return self.everywhere(at, number)
        if step == 1:
            return self.load(at, lanes, number)
        vector, name = f"<{LANES} x {number}>", f"v{LANES}{_SHORT[number]}"
        rest = f"i32 {_ALIGNED[number]}, {_mask(lanes)}, {vector} {ZEROS}"
        places = self._places(at, step, number)
        return self.let(f"call {vector} @llvm.masked.gather.{name}.v{LANES}p0({places}, {rest})")

    def write(self, value: str, at: str, step: int, lanes: int, number: str = FLOAT) -> None:
        """The first ``lanes`` numbers of ``value``, ``step`` apart."""
        if step == 1:
            self.store(value, at, lanes, number)
            return
        vector, name = f"<{LANES} x {number}>", f"v{LANES}{_SHORT[number]}"
        rest = f"i32 {_ALIGNED[number]}, {_mask(lanes)}"
        places = self._places(at, step, number)
        self.do(
            f"call void @llvm.masked.scatter.{name}.v{LANES}p0({vector} {value}, {places}, {rest})"
        )

    def _places(self, at: str, step: int, number: str) -> str:
        steps = ", ".join(f"i64 {step * i}" for i in range(LANES))
        each = self.let(f"getelementptr {number}, ptr {at}, <{LANES} x i64> <{steps}>")
        return f"{_P} {each}"

    def fma(self, x: str, y: str, z: str) -> str:
        """X y + z, rounded once."""
        return self.let(f"call {_V} @llvm.fma.v{LANES}f32({_V} {x}, {_V} {y}, {_V} {z})")

    def of(self, name: str, *vectors: str) -> str:
        """LLVM's function of that name, such as sqrt, of each number."""
        given = ", ".join(f"{_V} {v}" for v in vectors)
        return self.let(f"call {_V} @llvm.{name}.v{LANES}f32({given})")

    def by(self, what: str, x: str, y: str) -> str:
        """An instruction such as fadd of two vectors."""
        return self.let(f"{what} {_V} {x}, {y}")

    def sum(self, x: str, y: str) -> str:
        return self.by("fadd", x, y)

    def compared(self, how: str, x: str, y: str) -> str:
        """The mask of where ``how``, such as olt, holds for two vectors."""
        return self.let(f"fcmp {how} {_V} {x}, {y}")

    def where(self, mask: str, x: str, y: str) -> str:
        """Numbers of x where the ``mask`` is, of y elsewhere."""
        return self.let(f"select {_M} {mask}, {_V} {x}, {_V} {y}")

    def unless_at_most_0(self, x: str, y: str) -> str:
        """The numbers of y, but 0 where those of x are 0 or less."""
        return self.where(self.compared("ole", x, ZEROS), ZEROS, y)

    def _name(self) -> str:
        self._names += 1
        return f"%v{self._names}"


def constant(number: float, of: str = FLOAT) -> str:
    """The vector of a number again and again, as it is written."""
    if (
        of == FLOAT
    ):  # rounded to float32, infinite where that ends, and written by the bits of float64
        written = f"0x{struct.pack('>d', ctypes.c_float(number).value).hex()}"
    else:
        written = str(int(number))
    return "<" + ", ".join([f"{of} {written}"] * LANES) + ">"


def _mask(lanes: int) -> str:
    return f"<{LANES} x i1> <" + ", ".join(f"i1 {int(i < lanes)}" for i in range(LANES)) + ">"
