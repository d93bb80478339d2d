"""Writing: the kernels of a traced program, written down as a function of one row in LLVM's language."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, fx, ops

from trainables.assembly import BYTE, FLOAT, LONG, Body, Code, UnsupportedError, compiled, constant
from trainables.binding import BOUND
from trainables.elementwise import ELEMENTWISE, IN_PLACE, ITSELF, Elementwise, bytes_of, vector
from trainables.graphs import kernels
from trainables.kernels import INTO, LOOKS, RESHAPES
from trainables.nests import Place, carry, nest
from trainables.products import Given, planned
from trainables.reductions import LONGEST, REDUCTIONS
from trainables.tracing import Meta
from trainables.values import Buffer, Look, Step, Value, arranged, is_dense, look_of

_aten = ops.aten

NUMBERS = {torch.float32: FLOAT, torch.bool: BYTE, torch.int64: LONG}

FACTORS = {"alpha", "value"}
"""What kernels call a number that they multiply with besides."""

NAN = "0x7ff8000000000000"

Kernel: TypeAlias = "Callable[[Writer, fx.Node], Value]"


class Made(NamedTuple):
    """What a function gives: rows of a shape and strides, or None.

    It needs ``room`` bytes of a row's own, enters the code ``held``, and writes ``over`` these of its arguments.
    """

    shape: tuple[int, ...] | None
    strides: tuple[int, ...]
    room: int
    held: list[Code]
    over: list[int]


class Writer:
    """Goes through the kernels of ``traced`` once.

    Its ``arguments`` are tensors as they will be given; the first ``mapped`` have ``rows`` now, a number that
    is no other size in ``traced``. So what has rows is told by its first axis.
    """

    def __init__(
        self, traced: fx.GraphModule, arguments: Sequence[Tensor], mapped: int, rows: int
    ) -> None:
        self._traced, self._arguments, self._mapped, self._rows = traced, arguments, mapped, rows
        self._nodes = list(traced.graph.nodes)
        self._inputs = [n for n in self._nodes if n.op == "placeholder"]
        (self._result,) = next(n for n in self._nodes if n.op == "output").args
        self._body, self._begun = Body(), list[str]()
        self._values: dict[fx.Node, Any] = {}
        self._scratch: list[Buffer] = []
        self._held: list[Code] = []
        self._written_over: set[int] = set()
        self._pending: list[Step] = []
        self._joins: dict[fx.Node, Value] = {}
        self._part_of = {s: at for join in kernels(traced) for s, at in _computed_in(join)}
        self._out, self._answer = Buffer("%outz"), torch.empty(0)
        self._at = self._room = 0

    def code(self) -> Code:
        """The function, of a number of rows, memory of a row's own, the result and the arguments.

        After each of these that is a stack it is told how far apart rows are, in numbers.
        """
        body = self._body
        entry = body.mark()
        self._values = {node: self._input(i) for i, node in enumerate(self._inputs)}
        left = [n for n in self._nodes if n.op in {"get_attr", "call_function"}]
        left = [n for n in left if not self._taken(n, shared=True)]
        self._flush()
        for buffer in self._scratch:
            buffer.last = len(self._nodes)  # every row needs it
        body.loop("%count", lambda z, _: self._row(z, left))
        places, self._room = arranged(self._scratch)
        names = [(b.name, at) for b, at in zip(self._scratch, places, strict=True) if b.size]
        lines = [f"{name} = getelementptr i8, ptr %scratch, i64 {at}" for name, at in names]
        body.fill(entry, [*self._begun, *lines])
        given = ["i64 %count", "ptr %scratch", "ptr %out", "i64 %outs"]
        for i in range(len(self._inputs)):
            given += [f"ptr %x{i}", *([f"i64 %x{i}s"] if i < self._mapped else [])]
        return compiled([body.function("routine", given, inner=False)], "routine", len(given))

    @property
    def made(self) -> Made:
        """Once its code is written down."""
        buffers = [self._values[node].buffer for node in self._inputs]
        over = [i for i, buffer in enumerate(buffers) if id(buffer) in self._written_over]
        shape = None if self._result is None else tuple(self._answer.shape)
        return Made(shape, self._answer.stride(), self._room, self._held, over)

    def _row(self, z: str, left: Sequence[fx.Node]) -> Sequence[str]:
        """What is done for each row."""
        body = self._body
        for i, argument in enumerate(self._arguments[: self._mapped]):
            at = body.at(f"%x{i}", body.times(z, f"%x{i}s"), NUMBERS[argument.dtype])
            self._values[self._inputs[i]].buffer.name = at
        out = body.at("%out", body.times(z, "%outs"))
        body.do(f"{self._out.name} = getelementptr i8, ptr {out}, i64 0")
        top = body.mark()
        for self._at, node in enumerate(left):
            self._taken(node, shared=False)
        body.fill(top, self._ended())
        return ()

    def _input(self, i: int) -> Value:
        argument = self._arguments[i]
        _number(argument.dtype)
        if i >= self._mapped:
            return Value(Buffer(f"%x{i}"), torch.empty(argument.shape, dtype=argument.dtype))
        row = argument.shape[1:]
        apart = math.prod(row) + 1  # so that no look takes several rows for one piece
        whole = torch.empty(apart * self._rows, dtype=argument.dtype)
        strides = torch.empty(row, device="meta").stride()
        return Value(Buffer(f"%x{i}"), whole.as_strided(argument.shape, (apart, *strides)))

    def _taken(self, node: fx.Node, *, shared: bool) -> bool:
        """Writes a node down, if ``shared`` only what all rows share. Whether it has."""
        if shared and not all(n in self._values for n in node.all_input_nodes):
            return False
        if node.op == "get_attr":
            self._values[node] = self._constant(getattr(self._traced, str(node.target)))
        elif node.target is operator.getitem:
            source, i = node.args
            self._values[node] = self._values[source][i]  # type: ignore[index] # a node and a number
        elif (seen := self._look(node)) is not None:
            self._values[node] = seen
        elif not isinstance(node.meta.get("tensor_meta"), Meta) or 0 in _shape(node):
            raise UnsupportedError(f"{node.target}: no numbers, or several tensors")
        elif self._mixes(node, _shape(node)):
            raise UnsupportedError(f"{node.target}: rows that meet")
        elif shared and self._has_rows(_shape(node)):
            return False
        else:
            self._values[node] = _kernel_of(node)(self, node)
        return True

    def _mixes(self, node: fx.Node, shape: Sequence[int]) -> bool:
        """Whether what has rows comes to lie where they cannot be told any more."""
        given = (self._values[n] for n in node.all_input_nodes)
        rows = any(isinstance(v, Value) and self._has_rows(v.like.shape) for v in given)
        return rows and not self._has_rows(shape)

    def _constant(self, tensor: Tensor) -> Value:
        _number(tensor.dtype)
        like = tensor
        if self._has_rows(tensor.shape):
            first = tensor[:1].clone()
            if not torch.equal(first.expand(tensor.shape), tensor):
                raise UnsupportedError("constants that differ from row to row")
            like = first.expand(tensor.shape)
        if like.untyped_storage().nbytes() > like.numel() * like.element_size():
            like = like.clone(memory_format=torch.contiguous_format)  # it was part of another
        numbers = torch.empty(0, dtype=torch.uint8).set_(like.untyped_storage())
        return Value(Buffer(self._body.hold(numbers.numpy().tobytes())), like)

    def _look(self, node: fx.Node) -> Any:
        """Another look at numbers; None if the node is none, or numbers have to be moved for it."""
        moves = node.target == _aten.reshape.default
        if not moves and node.target not in LOOKS:
            return None
        source, *rest = node.args
        value, of = self._values[source], _aten.view.default if moves else node.target  # type: ignore[index] # a node
        try:
            seen = of(value.like, *rest, **node.kwargs)  # type: ignore[operator] # a kernel
        except RuntimeError:
            if moves:
                return None
            raise UnsupportedError(f"{node.target} of rows that lie apart") from None
        parts = list(seen) if isinstance(seen, (tuple, list)) else [seen]
        if any(self._mixes(node, part.shape) for part in parts):
            raise UnsupportedError(f"{node.target}: rows that meet")
        looks = [Value(value.buffer, part) for part in parts]
        return looks if isinstance(seen, (tuple, list)) else looks[0]

    def moved(self, node: fx.Node) -> Value:
        """The same numbers side by side."""
        source, made = self._values[node.args[0]], self._fresh(node, ())  # type: ignore[index] # a node
        self._elementwise(ITSELF, (source,), Value(made.buffer, made.like.view(source.like.shape)))
        return made

    def copied(self, node: fx.Node) -> Value:
        """Numbers written over others."""
        source = self._values[node.args[1]]  # type: ignore[index] # a node
        return self._elementwise(ITSELF, (source,), self._over(node))

    def widened(self, node: fx.Node) -> Value:
        """The slope of a slice: zeros where nothing was taken."""
        slope, _, *where = node.args
        made = self._elementwise(ITSELF, (0.0,), self._fresh(node, ()))
        slices = node.target == _aten.slice_backward.default
        look = _aten.slice.Tensor if slices else _aten.select.int
        part = Value(made.buffer, look(made.like, *where))
        self._elementwise(ITSELF, (self._values[slope],), part)  # type: ignore[index] # a node
        return made

    def joined(self, node: fx.Node) -> Value:
        """Tensors one after the other along an axis; what could be was computed in its place."""
        made = self._join(node)
        for part, look in self._looks(node, made):
            known = self._values[part]
            if known.buffer is not made.buffer:
                self._elementwise(ITSELF, (known,), Value(made.buffer, look))
        return made

    def _join(self, join: fx.Node) -> Value:
        """Where tensors are put one after the other."""
        if join not in self._joins:
            self._joins[join] = self._fresh(join, ())
        return self._joins[join]

    def _looks(self, join: fx.Node, made: Value) -> list[tuple[fx.Node, Tensor]]:
        """The parts of ``join``, and where in what is ``made`` each is."""
        rank, axis = made.like.dim(), _axis(join)
        parts = [p for p in _parts(join) if len(_shape(p)) == rank]
        sizes = [_shape(p)[axis] for p in parts]
        return list(zip(parts, torch.split(made.like, sizes, axis), strict=True))

    def _in_its_place(self, node: fx.Node) -> Value | None:
        """Where ``node`` is to be computed, if it is a part of something larger."""
        if node not in self._part_of:
            return None
        join, part = self._part_of[node]
        made = self._join(join)
        look = next(look for p, look in self._looks(join, made) if p is part)
        return Value(made.buffer, look.view(_shape(node)))

    def _over(self, node: fx.Node) -> Value:
        """What a kernel writes over."""
        value: Value = self._values[node.kwargs.get("out", node.args[0])]  # type: ignore[index] # a node
        if value.like.shape != _shape(node):
            raise UnsupportedError("results of another shape than what they are written over")
        self._written_over.add(id(value.buffer))
        return value

    def numbers(self, node: fx.Node) -> Value:
        """A kernel of one number at a time."""
        of = IN_PLACE.get(node.target, node.target)
        values = [self._values[a] if isinstance(a, fx.Node) else a for a in node.args]
        values += [v for name, v in node.kwargs.items() if name in FACTORS and v != 1]
        into = self._over(node) if node.target in IN_PLACE else self._fresh(node, values)
        return self._elementwise(ELEMENTWISE[of], values, into)

    def _elementwise(self, kernel: Elementwise, given: Sequence[Any], made: Value) -> Value:
        """A kernel of one number at a time: with others like it, in one pass over memory."""
        step = Step(kernel, tuple(given), made)
        if any(v.like.dtype == torch.int64 for v in step.values):
            raise UnsupportedError("whole numbers")
        if self._pending and not self._goes_with(step):
            if not any(step.meets(other) for other in self._pending):
                self._pass([step])  # it may as well go before them
                return made
            self._flush()
        self._pending.append(step)
        return made

    def _goes_with(self, step: Step) -> bool:
        """Whether it can be done number by number with those before it."""
        first = self._pending[0].made.like
        alike = first.shape == step.made.like.shape and first.stride() == step.made.like.stride()
        return alike and all(step.fits(other) for other in self._pending)

    def _flush(self) -> None:
        """Writes down what is pending."""
        pending, self._pending = self._pending, []
        if pending:
            self._pass(pending)

    def _pass(self, steps: Sequence[Step]) -> None:
        """Steps of one number at a time, for all numbers of a row."""
        body, shape = self._body, steps[0].made.like.shape
        looks = {look: v for step in steps for look, v in step.looks()}
        first = look_of(steps[0].made, shape)
        order = [first, *(look for look in looks if look != first)]
        places = [self._place(looks[look], shape) for look in order]

        def leaf(there: Sequence[Place], lanes: int) -> None:
            at, known = dict(zip(order, there, strict=True)), dict[Look, str]()

            def loaded(value: Any, *, mask: bool) -> str | None:
                if not isinstance(value, Value):
                    return None if value is None else constant(float(value))
                look = look_of(value, shape)
                if look not in known:
                    place = at[look]
                    known[look] = body.read(place.at, place.steps[0], lanes, place.number)
                return vector(body, known[look], is_bool=value.is_bool, mask=mask)

            for step in steps:
                kernel, look = step.kernel, look_of(step.made, shape)
                given = [loaded(v, mask=i in kernel.masks) for i, v in enumerate(step.given)]
                found = kernel.of(body, *given)
                is_bool = step.made.is_bool
                known[look] = bytes_of(body, found, chosen=kernel.chooses, is_bool=is_bool)
                body.write(known[look], at[look].at, at[look].steps[0], lanes, at[look].number)

        nest(body, self._of_row(steps[0].made.like).shape, places, leaf)

    def reduced(self, node: fx.Node) -> Value:
        """A sum or a softmax."""
        self._flush()
        reduction = REDUCTIONS[node.target]
        given = [self._values[n] for n in node.args[: reduction.given]]  # type: ignore[index] # nodes
        made = self._in_its_place(node) or self._fresh(node, given)
        shape = given[0].like.shape
        axes, rows = reduction.axes(node.args, len(shape)), int(self._has_rows(shape))
        if (rows and 0 in axes) or any(v.like.dtype != torch.float32 for v in (made, *given)):
            raise UnsupportedError("sums of others than float32, or over rows")
        sizes = shape[rows:]
        inner = [axis - rows for axis in sorted(axes)]
        outer = [axis for axis in range(len(sizes)) if axis not in inner]
        along = [sizes[i] for i in inner]
        if math.prod(along) > LONGEST:
            raise UnsupportedError("long sums")
        out = self._place(made, shape if reduction.keeps else made.like.shape)
        kept = len(out.steps) == len(sizes)
        there = out.split(outer if kept else range(len(outer)), inner if reduction.keeps else ())
        places = [self._place(v, shape).split(outer, inner) for v in given]

        def leaf(some: Sequence[Place], lanes: int) -> None:
            reduction.write(self._body, some, lanes, along)

        nest(self._body, [sizes[i] for i in outer], [there, *places], leaf)
        return made

    def scattered(self, node: fx.Node) -> Value:
        """Numbers added where indices say, one after the other."""
        first, axis, index, source = node.args
        into, index, source = (self._values[n] for n in (first, index, source))  # type: ignore[index] # nodes
        made = self._elementwise(ITSELF, (into,), self._fresh(node, [into]))
        some, body = source.like[tuple(slice(n) for n in index.like.shape)], self._body

        def add(place: str, other: str, known: str) -> None:
            old, more = (body.let(f"load float, ptr {x}, align 4") for x in (place, other))
            total = body.let(f"fadd float {old}, {more}")
            total = body.let(f"select i1 {known}, float {total}, float {NAN}")
            body.do(f"store float {total}, ptr {place}, align 4")

        self._indexed(made, axis, index, Value(source.buffer, some), add)  # type: ignore[arg-type] # a number
        return made

    def gathered(self, node: fx.Node) -> Value:
        """Numbers from where indices say."""
        given, axis, told = node.args[:3]
        source, index = self._values[given], self._values[told]  # type: ignore[index] # nodes
        made, body = self._fresh(node, ()), self._body

        def take(place: str, other: str, known: str) -> None:
            found = body.let(f"load float, ptr {place}, align 4")
            found = body.let(f"select i1 {known}, float {found}, float {NAN}")
            body.do(f"store float {found}, ptr {other}, align 4")

        self._indexed(source, axis, index, made, take)  # type: ignore[arg-type] # a number
        return made

    def _indexed(
        self,
        of: Value,
        axis: int,
        index: Value,
        beside: Value,
        each: Callable[[str, str, str], None],
    ) -> None:
        """``each`` of the addresses of a number ``of`` that an ``index`` is for and of the one beside the index.

        It is told whether the index is one at all; one that is not is taken for 0.
        """
        self._flush()
        body, shape = self._body, index.like.shape
        rows, rank = int(self._has_rows(shape)), len(shape)
        along = axis % rank - rows
        alike = len(of.like.shape) == rank and self._has_rows(of.like.shape) == bool(rows)
        types = index.like.dtype, of.like.dtype, beside.like.dtype
        if not alike or along < 0 or types != (torch.int64, torch.float32, torch.float32):
            raise UnsupportedError("indices of others than float32, or of rows")
        whole = self._place(of, of.like.shape)
        size, step = self._of_row(of.like).shape[along], whole.steps[along]
        steps = tuple(0 if i == along else s for i, s in enumerate(whole.steps))
        places = [
            whole._replace(steps=steps),
            self._place(index, shape),
            self._place(beside, shape),
        ]

        def one(at: Sequence[str], _: Sequence[str]) -> Sequence[str]:
            told = body.let(f"load i64, ptr {at[1]}, align 8")
            known = body.let(f"icmp ult i64 {told}, {size}")
            held = body.let(f"select i1 {known}, i64 {told}, i64 0")
            each(body.at(at[0], body.times(held, step)), at[2], known)
            return ()

        every = range(rank - rows)
        carry(body, shape[rows:], [p.split((), every) for p in places], one, ())

    def product(self, node: fx.Node) -> Value:
        """A product with what it ends with, by its own code."""
        self._flush()
        bound, kwargs = node.meta[BOUND], node.kwargs
        sources = [*node.args, None, kwargs.get("bias"), kwargs.get("mask")]
        values = [None if n is None else self._values[n] for n in sources]  # type: ignore[index] # nodes
        pairs = zip(values, bound.views, strict=True)
        seen = [None if v is None else Value(v.buffer, of(v.like)) for v, of in pairs]
        seen[2] = made = self._in_its_place(node)
        wanted = None if made else self._lies(node)
        looks = Given(*(None if v is None else v.like for v in seen))  # type: ignore[arg-type] # a and b are there
        plan = planned(looks, relu=bound.relu, wanted=wanted)
        if plan is None:
            raise UnsupportedError("a product of tensors that lie badly")
        if made is None:
            axes = (2, 1) if plan.turned else (1, 2)
            seen[2] = made = self._new(_shape(node), torch.float32, axes)
        if plan.turned:
            seen[:2] = seen[1], seen[0]
        self._held.append(plan.code)
        at = [self._place(v, v.like.shape).at for v in seen if v is not None]
        self._body.enter(plan.code, "i64 1", *(f"ptr {x}, i64 0" for x in at))
        return made

    def _lies(self, node: fx.Node) -> bool | None:
        """Whether a product is to lie along columns, as what it will be put together with."""
        shape, users = _shape(node), node.users
        others = [node.kwargs.get("mask"), *(m for user in users for m in user.all_input_nodes)]
        known = (self._values.get(m) for m in others if isinstance(m, fx.Node) and m is not node)
        likes = (v.like for v in known if isinstance(v, Value) and v.like.shape == shape)
        return next((like.stride(1) == 1 != like.stride(2) for like in likes), None)

    def _ended(self) -> list[str]:
        """What names what, once every kernel is written down and the result is in its place."""
        if self._result is None:
            self._flush()
            return []
        value: Value = self._values[self._result]
        row, buffer = self._of_row(value.like), value.buffer
        own = buffer in self._scratch and buffer.last < len(self._nodes)
        if own and is_dense(row) and row.numel() * row.element_size() == buffer.size:
            self._flush()
            buffer.size, self._answer = 0, row
            return [f"{buffer.name} = getelementptr i8, ptr {self._out.name}, i64 0"]
        if not self._has_rows(value.like.shape) or value.like.dtype != torch.float32:
            raise UnsupportedError("results without rows, or others than float32")
        self._answer = torch.empty(row.shape)
        self._elementwise(ITSELF, (value,), Value(self._out, self._answer.expand(value.like.shape)))
        self._flush()
        return []

    def _place(self, value: Value, shape: Sequence[int]) -> Place:
        """Where a row's numbers of a tensor are, spread to a ``shape`` that may have rows."""
        value.buffer.last = max(value.buffer.last, self._at)
        row = self._of_row(value.like.expand(shape))
        number = _number(row.dtype)
        at = self._body.at(value.buffer.name, int(row.storage_offset()), number)
        return Place(at, tuple(row.stride()), number=number)

    def _has_rows(self, shape: Sequence[int]) -> bool:
        return len(shape) > 0 and shape[0] == self._rows

    def _of_row(self, like: Tensor) -> Tensor:
        return like[0] if self._has_rows(like.shape) else like

    def _fresh(self, node: fx.Node, given: Sequence[Any]) -> Value:
        """Memory for what a node gives, which lies as the first that is given of its shape."""
        meta: Meta = node.meta["tensor_meta"]
        rank, rows = len(meta.shape), int(self._has_rows(meta.shape))
        likes = (v.like for v in given if isinstance(v, Value) and v.like.shape == meta.shape)
        dense = (like.stride() for like in likes if is_dense(self._of_row(like)))
        strides = next(dense, tuple(range(rank, 0, -1)))
        axes = sorted(range(rows, rank), key=lambda i: -strides[i])
        return self._new(meta.shape, meta.dtype, axes)

    def _new(self, shape: Sequence[int], dtype: torch.dtype, axes: Sequence[int]) -> Value:
        """Memory of a row's own, or of all rows. ``axes`` but that of rows, from far to close."""
        strides, step = [0] * len(shape), 1
        for axis in reversed(axes):
            strides[axis], step = step, step * shape[axis]
        _number(dtype)
        like = torch.empty(step, dtype=dtype).as_strided(tuple(shape), strides)
        size = step * like.element_size()
        self._scratch.append(Buffer(f"%s{len(self._scratch)}", size, self._at, self._at))
        return Value(self._scratch[-1], like)


KERNELS: dict[Any, Kernel] = {
    _aten.reshape.default: Writer.moved,
    _aten.copy_.default: Writer.copied,
    _aten.slice_backward.default: Writer.widened,
    _aten.select_backward.default: Writer.widened,
    _aten.cat.default: Writer.joined,
    _aten.scatter_add.default: Writer.scattered,
    _aten.gather.default: Writer.gathered,
    **dict.fromkeys(REDUCTIONS, Writer.reduced),
}
"""Kernels that are not of one number at a time."""


def _kernel_of(node: fx.Node) -> Kernel:
    """What writes a node down."""
    if BOUND in node.meta:
        return Writer.product
    if node.target in KERNELS:
        return KERNELS[node.target]
    if node.target in ELEMENTWISE or node.target in IN_PLACE:
        return Writer.numbers
    raise UnsupportedError(str(node.target))


def _shape(node: fx.Node) -> torch.Size:
    meta: Meta = node.meta["tensor_meta"]
    return meta.shape


def _number(dtype: torch.dtype) -> str:
    if dtype not in NUMBERS:
        raise UnsupportedError(str(dtype))
    return NUMBERS[dtype]


def _axis(join: fx.Node) -> int:
    given = join.args[1] if len(join.args) > 1 else 0
    return int(given)  # type: ignore[arg-type] # a number


def _parts(join: fx.Node) -> list[fx.Node]:
    return list(join.args[0])  # type: ignore[arg-type] # nodes


def _computed_in(join: fx.Node) -> Iterator[tuple[fx.Node, tuple[fx.Node, fx.Node]]]:
    """What can be computed in its place in ``join``, with that and the part it is, perhaps of another shape."""
    if join.target != _aten.cat.default:
        return
    for part in _parts(join):
        source = part.args[0] if part.target in RESHAPES else part
        if not isinstance(source, fx.Node) or len(part.users) != 1 or len(source.users) != 1:
            continue
        if BOUND in source.meta or source.target in INTO:
            yield source, (join, part)
