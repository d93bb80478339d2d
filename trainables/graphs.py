"""Graphs: what was traced, rewritten to fewer and faster kernels that compute the same.

A mapped function leaves behind multiplications by 1, views to the shape a tensor has, numbers
that no input decides, and the loss, which nobody reads. Without them, and with results written
where they are wanted, a step of a small model takes half the time. The rewriting looks at shapes
alone, never at how many rows there are: so a row's numbers do not depend on who is beside it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, ops
from torch.fx._lazy_graph_module import _LazyGraphModule

from trainables.kernels import (
    CONSTANTS,
    DIRECT,
    INTO,
    OVER,
    PRODUCT,
    RESHAPES,
    SOFTMAXES,
    TRANSPOSE,
    VIEWS,
)
from trainables.tracing import propagate

_aten = ops.aten

NARROW = 16
"""Columns of a product that fill no vector register: the transposed product is twice as fast."""

SHORT = 64
"""Softmaxes over fewer classes than this are ten times as fast along columns (measured at 10).

Several threads would cut the columns of all rows up among them, wherever that falls, and the ends
of the cuts round otherwise: with threads softmaxes stay as they are."""


def simplify_(traced: fx.GraphModule, arguments: Sequence[Tensor]) -> fx.GraphModule:
    """The same function of tensors like ``arguments``, in fewer kernels; for CPUs also faster ones.

    The kernels' own order of summation aside, its numbers are those of ``traced``.
    """
    rewrite_(traced, arguments)
    if arguments[0].device.type == "cpu":
        write_into_joined_(traced)
        write_over_(traced)
    traced.graph.lint()
    traced.recompile()
    return traced


def rewrite_(traced: fx.GraphModule, arguments: Sequence[Tensor]) -> None:
    """The same in fewer and faster kernels, each of which has memory of its own for what it gives."""
    skip_idle_(traced)
    fold_constants_(traced, arguments[0].device)
    if arguments[0].device.type == "cpu":
        if torch.get_num_threads() == 1:
            turn_softmaxes_(traced)
        turn_narrow_products_(traced)
        allow_turned_(traced)
        propagate(traced, arguments)
        skip_idle_(traced)
        share_views_(traced)


def call_directly_(traced: fx.GraphModule, _: Sequence[Tensor]) -> Callable[..., Tensor]:
    """The function that ``traced`` is, without what it takes to find kernels and modules."""
    for node in kernels(traced):
        node.target = DIRECT.get(_kernel(node), node.target)
    traced.recompile()
    _LazyGraphModule.force_recompile(traced)
    return traced.forward


def skip_idle_(traced: fx.GraphModule) -> None:
    """Has every reader of an idle kernel read what that kernel was given, and drops the unread."""
    for node in traced.graph.nodes:
        given = _given(node)
        if given is not None:
            node.replace_all_uses_with(given)
    traced.graph.eliminate_dead_code()


def fold_constants_(traced: fx.GraphModule, device: torch.device) -> None:
    """Computes once what depends on the shapes of the inputs alone."""
    written = _written(traced)
    known: dict[fx.Node, Tensor] = {}
    for node in kernels(traced):
        inputs = node.all_input_nodes
        constant = node.target in CONSTANTS or (inputs and all(n in known for n in inputs))
        if constant and node not in written:
            given = {n: known[n] if n in known else _like(n, device) for n in inputs}
            known[node] = _kernel(node)(*fx.map_arg(node.args, given.get), **node.kwargs)
    for i, (node, value) in enumerate(known.items()):
        if any(user not in known for user in node.users):
            traced.register_buffer(f"constant_{i}", value)
            with traced.graph.inserting_before(node):
                held = traced.graph.get_attr(f"constant_{i}")
            held.meta = node.meta
            node.replace_all_uses_with(held)
    traced.graph.eliminate_dead_code()


def turn_softmaxes_(traced: fx.GraphModule) -> None:
    """Softmaxes over the last axis become softmaxes over the one before it, which are vectorised."""
    for node in kernels(traced):
        at = SOFTMAXES.get(_kernel(node))
        shape = _shape(node) if at is not None else ()
        if at is None or len(shape) < 2 or shape[-1] >= SHORT or node.args[at] != len(shape) - 1:
            continue
        with traced.graph.inserting_before(node):
            turned = [_turned(traced, n) for n in _args(node)[:at]]
            along = traced.graph.call_function(
                _kernel(node), (*turned, len(shape) - 2, *node.args[at + 1 :])
            )
            node.replace_all_uses_with(_turned(traced, along))


def turn_narrow_products_(traced: fx.GraphModule) -> None:
    """Products a @ b with few columns become (b' @ a')'."""
    for node in kernels(traced):
        if node.target != PRODUCT or not _shape(node)[-1] < NARROW <= _shape(node)[-2]:
            continue
        if any(
            user.target in RESHAPES for user in node.users
        ):  # it would be turned back, by copying
            continue
        left, right = _args(node)
        with traced.graph.inserting_before(node):
            sides = _turned(traced, right), _turned(traced, left)
            node.replace_all_uses_with(_turned(traced, traced.graph.call_function(PRODUCT, sides)))


def allow_turned_(traced: fx.GraphModule) -> None:
    """Has what is computed, and may lie turned now, copied where a view of it is not to be had."""
    computed = kernels(traced)
    for node in computed:
        source = _args(node)[0] if node.target in VIEWS else None
        if source in computed and source.target is not operator.getitem:
            node.target = _aten.reshape.default


def share_views_(traced: fx.GraphModule) -> None:
    """A view that was taken already is not taken again."""
    seen: dict[object, fx.Node] = {}
    for node in kernels(traced):
        if node.target in RESHAPES or node.target == TRANSPOSE:
            source, *rest = _args(node)
            first = seen.setdefault((node.target, source, str(rest)), node)
            if first is not node:
                node.replace_all_uses_with(first)
    traced.graph.eliminate_dead_code()


def write_into_joined_(traced: fx.GraphModule) -> None:
    """Where a concatenation is the answer, its parts are computed in their places in it."""
    (output,) = (n for n in traced.graph.nodes if n.op == "output")
    (join,) = _args(output)
    if not isinstance(join, fx.Node) or join.target != _aten.cat.default or join.args[1:] != (1,):
        return
    graph, parts = traced.graph, [p for p in _args(join)[0] if len(_shape(p)) == 2]
    first = next(n for n in graph.nodes if n.op != "placeholder")
    meta = join.meta["tensor_meta"]
    sizes = [_shape(part)[1] for part in parts]
    with graph.inserting_before(first):
        whole = graph.call_function(_aten.empty.memory_format, (list(meta.shape),))
        whole.kwargs = {"dtype": meta.dtype}
        pieces = graph.call_function(_aten.split_with_sizes.default, (whole, sizes, 1))
        places = [graph.call_function(operator.getitem, (pieces, i)) for i in range(len(parts))]
    for part, place in zip(parts, places, strict=True):
        _write(traced, part, place, join)
    join.replace_all_uses_with(whole)
    graph.eliminate_dead_code()


def _write(traced: fx.GraphModule, part: fx.Node, place: fx.Node, join: fx.Node) -> None:
    """Computes ``part`` of ``join`` in ``place``, or copies it there."""
    graph = traced.graph
    source = _args(part)[0] if part.target in RESHAPES else part
    lone = isinstance(source, fx.Node) and len(part.users) == len(source.users) == 1
    if not lone or source.target not in INTO:
        with graph.inserting_before(join):
            graph.call_function(_aten.copy_.default, (place, part))
        return
    with graph.inserting_before(source):
        shaped = graph.call_function(_aten.view.default, (place, list(_shape(source))))
        kwargs = {**source.kwargs, "out": shaped}
        graph.call_function(INTO[_kernel(source)], source.args, kwargs)


def write_over_(traced: fx.GraphModule) -> None:
    """What is computed number by number is written over what it is made of, if that is read no more.

    So a program touches less memory, and what it computes next is in the cache.
    """
    made = _makers(traced)
    order = {node: i for i, node in enumerate(traced.graph.nodes)}
    last: dict[fx.Node, int] = {}
    for node, maker in made.items():
        last[maker] = max(last.get(maker, 0), order[node], *(order[user] for user in node.users))
    for node in kernels(traced):
        if node.target not in OVER:
            continue
        place = next((n for n in node.all_input_nodes if _free(n, node, made)), None)
        if place is None or last[made[place]] > order[node]:
            continue
        kernel, name = OVER[_kernel(node)]
        node.target = kernel
        node.kwargs = node.kwargs if name is None else {**node.kwargs, name: place}


def _makers(traced: fx.GraphModule) -> dict[fx.Node, fx.Node]:
    """The node that made the memory in which what each node gives lies; itself, unless that is a view."""
    made: dict[fx.Node, fx.Node] = {}
    for node in traced.graph.nodes:
        source = _shared(node)
        made[node] = node if source is None else made[source]
    return made


def _shared(node: fx.Node) -> fx.Node | None:
    """The node in whose memory ``node`` gives its result; None if it makes its own."""
    if node.op != "call_function":
        return None
    schema = getattr(node.target, "_schema", None)
    if schema is None:  # a part of a tuple
        return node.all_input_nodes[0]
    if not any(r.alias_info is not None for r in schema.returns):
        return None
    given = dict(zip((a.name for a in schema.arguments), node.args, strict=False)) | node.kwargs
    of = (given.get(a.name) for a in schema.arguments if a.alias_info is not None)
    return next(n for n in of if isinstance(n, fx.Node))


def _free(place: fx.Node, node: fx.Node, made: dict[fx.Node, fx.Node]) -> bool:
    """Whether ``place`` could hold what ``node`` gives: made here, alike, and each number in it once."""
    if made[place].op != "call_function" or not _alike(place, node):
        return False
    if any(made[n] is made[place] for n in node.all_input_nodes if n is not place):
        return False
    view: fx.Node | None = place
    while view is not None and _size(view) == _size(node):
        view = _shared(view)
    return view is None and _shape(place) == _shape(node)


def _alike(one: fx.Node, other: fx.Node) -> bool:
    """Whether both are tensors of one type."""
    metas = [n.meta.get("tensor_meta") for n in (one, other)]
    types = [getattr(meta, "dtype", None) for meta in metas]
    return types[0] is not None and types[0] == types[1]


def _size(node: fx.Node) -> int | None:
    """How many numbers a node gives; None if it is no tensor."""
    shape = getattr(node.meta.get("tensor_meta"), "shape", None)
    return None if shape is None else math.prod(shape)


def _written(traced: fx.GraphModule) -> set[fx.Node]:
    """The kernels whose results lie in memory that is written to later."""
    made = _makers(traced)
    over = {made[n] for node in kernels(traced) for n in _overwritten(node)}
    return {node for node in kernels(traced) if made[node] in over}


def _overwritten(node: fx.Node) -> list[fx.Node]:
    """What ``node`` writes its result over."""
    if not _writes(node):
        return []
    schema = _kernel(node)._schema  # noqa: SLF001 - has no public name
    given = dict(zip((a.name for a in schema.arguments), node.args, strict=False)) | node.kwargs
    over = (a for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write)
    return [n for n in (given.get(a.name) for a in over) if isinstance(n, fx.Node)]


def _writes(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


def _given(node: fx.Node) -> fx.Node | None:
    """The node with the very values of ``node``; None if ``node`` computes them."""
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node):
        return None
    if node.target == _aten.detach.default:
        return source
    if node.target == _aten.mul.Scalar and node.args[1] == 1:
        return None if any(map(_writes, node.users)) else source
    if node.target in RESHAPES and _shape(node) == _shape(source):
        return source
    if node.target == source.target == TRANSPOSE and _axes(node) == _axes(source):
        twice = source.args[0]
        return twice if isinstance(twice, fx.Node) else None
    return None


def _turned(traced: fx.GraphModule, node: fx.Node) -> fx.Node:
    return traced.graph.call_function(TRANSPOSE, (node, -2, -1))


def kernels(traced: fx.GraphModule) -> list[fx.Node]:
    """The nodes that compute something."""
    return [n for n in traced.graph.nodes if n.op == "call_function"]


def _kernel(node: fx.Node) -> Any:
    return node.target


def _args(node: fx.Node) -> tuple[Any, ...]:
    """What a kernel is given, of whatever types that kernel takes."""
    return node.args


def _like(node: fx.Node, device: torch.device) -> Tensor:
    """A tensor of the node's shape and type; its numbers are not to be read."""
    meta = node.meta["tensor_meta"]
    return torch.empty(meta.shape, dtype=meta.dtype, device=device)


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["tensor_meta"].shape)


def _axes(node: fx.Node) -> set[int]:
    rank = len(_shape(node))
    return {axis % rank for axis in node.args[1:] if isinstance(axis, int)}
