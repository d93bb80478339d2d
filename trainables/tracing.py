"""Tracing: the kernels that a function of tensors calls, one after the other, as a graph.

PyTorch's own way to them, ``make_fx``, is made for functions that are compiled: of symbolic shapes, with
proxies at every layer between the function and its kernels. Here, in a third of the time, the function runs once on real
tensors, and what reaches the last layer is written down (``tests/trainables/test_tracing.py``: the
same kernels in the same order).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx
from torch.fx._lazy_graph_module import _LazyGraphModule
from torch.utils._python_dispatch import TorchDispatchMode

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001 - has no public name


class Meta(NamedTuple):
    """What is known of a tensor of a graph."""

    shape: torch.Size
    dtype: torch.dtype


def traced(of: Callable[..., Tensor | None], *arguments: Tensor) -> fx.GraphModule:
    """The graph of ``of(*arguments)``; of each node's tensors ``meta["tensor_meta"]`` says the `Meta`.

    What ``of`` reads besides its arguments is a constant of the graph.

    Raises:
        RuntimeError: if what ``of`` calls depends on numbers in a tensor.
    """
    kernels = _Kernels()
    for argument in arguments:
        kernels.open(argument)
    with kernels:
        result = of(*arguments)
    return kernels.closed(result)


def lazy(root: Any, graph: fx.Graph) -> fx.GraphModule:
    """A module whose code is not written before it is called: most graphs are only looked at and rewritten."""
    return _LazyGraphModule(root, graph)


def propagate(graph: fx.GraphModule, arguments: Sequence[Tensor]) -> None:
    """Has all nodes know their tensors again, of ``arguments``."""
    _Shapes(graph).run(*arguments)


class _Shapes(fx.Interpreter):
    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        n.meta["tensor_meta"] = fx.node.map_aggregate(made, _meta)
        return made


def _meta(made: Any) -> Any:
    return Meta(made.shape, made.dtype) if isinstance(made, Tensor) else made


class _Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's
    """Writes down what is called, and which tensor came of what."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch's
        self._graph = fx.Graph()
        self._nodes: dict[int, fx.Node] = {}
        self._held: list[Tensor] = []
        self._constants: dict[str, Tensor] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not: skipping begins with an import of the compiler, sympy and all, which takes a second."""
        return False

    def open(self, argument: Tensor) -> None:
        """``argument`` is the next that the graph is given."""
        self._came(argument, self._graph.placeholder(f"given_{len(self._held)}"))

    def closed(self, result: Tensor | None) -> fx.GraphModule:
        """The graph, which gives ``result``."""
        self._graph.output(None if result is None else self._node(result))
        return lazy(self._constants, self._graph)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten._local_scalar_dense.default:  # noqa: SLF001 - the name of a kernel
            raise RuntimeError(
                "what is called depends on a number in a tensor, so it cannot be traced"
            )
        if func.has_kernel_for_dispatch_key(_COMPOSITE):
            with self:
                return func.decompose(*args, **kwargs)
        made = func(*args, **kwargs)
        given = fx.node.map_aggregate((args, dict(kwargs)), self._written)
        node = self._graph.call_function(func, *given)
        if isinstance(made, Tensor):
            self._came(made, node)
        elif isinstance(made, (tuple, list)):
            self._parted(made, node)
        return made

    def _parted(self, made: tuple[Any, ...] | list[Any], node: fx.Node) -> None:
        node.meta["tensor_meta"] = tuple(map(_meta, made))
        for i, part in enumerate(made):
            if isinstance(part, Tensor):
                self._came(part, self._graph.call_function(operator.getitem, (node, i)))

    def _came(self, tensor: Tensor, node: fx.Node) -> None:
        node.meta["tensor_meta"] = _meta(tensor)
        self._nodes[id(tensor)] = node
        self._held.append(tensor)  # so that no other tensor is called the same

    def _written(self, given: Any) -> Any:
        return self._node(given) if isinstance(given, Tensor) else given

    def _node(self, tensor: Tensor) -> fx.Node:
        """What gives ``tensor``; if nothing that was written down does, it is a constant."""
        if id(tensor) not in self._nodes:
            name = f"held_{len(self._constants)}"
            self._constants[name] = tensor
            self._came(tensor, self._graph.get_attr(name))
        return self._nodes[id(tensor)]
