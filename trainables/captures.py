"""Captures: a function of tensors that is run again and again, launched as one.

On a GPU a step of small models is over before Python has called its kernels. So the kernels are
recorded once, as a CUDA graph, and launched together ever after. What is recorded is bound to the
memory that it was recorded on, hence the discipline here, the same for every recorder: inputs are
copied to buffers that stay where they are, what lasts is written in place, and what has moved is
recorded anew.

Graphs were chosen over ``torch.compile`` of the whole step by reasoning, and none has run on a GPU yet.
They take the very kernels that are replayed one by one elsewhere, so that they round alike; a graph is
recorded in about the time of one run, again and again as members are dropped, where a compiler takes
seconds to minutes for every shape; and 25 steps become one launch. What compiled kernels might save
beside that, by fusing what is elementwise, ``benchmarks/gpu.py --capture compile`` is there to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor, fx

from trainables.graphs import call_directly_
from trainables.layouts import call_compiled_
from trainables.programs import Finish

Act: TypeAlias = Callable[[], None]


class Recorder(Protocol):
    """Runs an act, at first to make everything ready for its being recorded."""

    def warm(self, act: Act) -> None:
        """Does ``act`` once."""

    def record(self, act: Act) -> Act:
        """What does ``act`` again whenever called. Does not do it.

        Raises:
            RuntimeError: if ``act`` cannot be recorded.
        """


class Way(NamedTuple):
    """How programs become functions, and what records blocks of steps; None: nothing does."""

    finish: Finish
    recorder: Recorder | None


class Graphs:
    """CUDA graphs."""

    def warm(self, act: Act) -> None:
        # On a side stream, as a recording will be: what libraries set up for a stream is there then.
        side: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call] # torch's
        here = torch.cuda.current_stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            act()
        here.wait_stream(side)

    def record(self, act: Act) -> Act:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            act()
        return graph.replay


@dataclass(slots=True, eq=False)
class _Recording:
    """``static`` are the inputs in buffers of their own; ``replay`` is there once it is recorded."""

    static: Any
    replay: Act | None = None


class Capture:
    """Runs an act on tensors: the first time that it meets their shapes plainly, then by a recording.

    One capture serves one act. What it holds does not hold the act, nor what that belongs to.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._places: list[Hashable] = []
        self._known: dict[Hashable, _Recording] = {}
        self.refused: str | None = None

    def __call__(self, of: Callable[[Any], None], given: Any, *, state: Sequence[Tensor]) -> None:
        """Does ``of(given)``, tensors nested in tuples.

        ``of`` returns nothing. It writes, in place, to tensors of ``state``, which it may read too,
        and depends on no number that is not in a tensor. If one of ``state`` lies elsewhere than it
        did, all recordings are dropped. What cannot be recorded, because it waits for the device or
        makes tensors of no fixed shape, is run as it is from then on, and ``refused`` says why.
        """
        self._settle(state)
        key = replaced(given, _shape)
        if self.refused is not None:
            of(given)
        elif key not in self._known:
            recording = self._known[key] = _Recording(replaced(given, torch.clone))
            self._recorder.warm(partial(of, recording.static))
        else:
            self._replay(of, given, self._known[key])

    def _settle(self, state: Sequence[Tensor]) -> None:
        """Drops what was recorded of tensors that lay elsewhere."""
        places: list[Hashable] = [(t.data_ptr(), t.stride(), *_shape(t)) for t in state]
        if places != self._places:
            self._known.clear()
            self._places = places

    def _replay(self, of: Callable[[Any], None], given: Any, recording: _Recording) -> None:
        torch._foreach_copy_(tensors(recording.static), tensors(given))
        if recording.replay is None:
            try:
                recording.replay = self._recorder.record(partial(of, recording.static))
            except torch.OutOfMemoryError:
                raise  # a smaller job may have room
            except RuntimeError as error:
                self.refused = str(error)
                of(given)
                return
        recording.replay()


def way_of(device: torch.device) -> Way:
    """What is used where nothing else is said: graphs on CUDA; elsewhere nothing is recorded."""
    return WAYS["graphs" if device.type == "cuda" else "none"]


def tensors(nest: Any) -> list[Tensor]:
    """Every tensor in tuples of tuples, in order."""
    found: list[Tensor] = []
    replaced(nest, found.append)
    return found


def replaced(nest: Any, by: Callable[[Tensor], Any]) -> Any:
    """``nest``, tuples of tuples and named ones, with ``by`` of each tensor for that tensor."""
    if isinstance(nest, Tensor):
        return by(nest)
    if not isinstance(nest, tuple):
        return nest
    parts = [replaced(part, by) for part in nest]
    return type(nest)(*parts) if hasattr(nest, "_fields") else tuple(parts)


def _shape(tensor: Tensor) -> tuple[Hashable, ...]:
    return tensor.dtype, tuple(tensor.shape)


def _compiled_by_torch(traced: fx.GraphModule, _: Sequence[Tensor]) -> Callable[..., Tensor]:
    compiled: Callable[..., Tensor] = torch.compile(traced, dynamic=False)
    return compiled


WAYS = {
    "graphs": Way(call_directly_, Graphs()),
    "compile": Way(_compiled_by_torch, Graphs()),
    "none": Way(call_compiled_, None),
}
