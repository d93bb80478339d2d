"""A learner: one network as a function of a row of weights, and its programs over many rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from trainables.models import Model
from trainables.precisions import computed_in
from trainables.programs import Function, Loop, Program
from trainables.recipes import Recipe, program
from trainables.scenarios.base import Batch, Shape, Stream
from trainables.seeds import generator, joined
from trainables.stacks import Weights, layout_of

MASKED = -1e9
"""The logit of a class that may not be answered: never wins, and its probability rounds to 0."""


def stacks(model: Model, shape: Shape) -> bool:
    """Whether members with such a model are trained as one stack, or else one after the other."""
    with torch.device("meta"):
        network = model.network(*shape)
    return model.stacks and not list(network.buffers())


class Learner:
    """The network of a recipe on a stream; ``start`` [P] are its weights as ``seed`` draws them.

    That is the study's seed, joined with the recipe's own.

    Buffers of floats, such as the running statistics of batch normalisation, lie in a row like
    weights: they are averaged as weights are, also a teacher's. In training every forward
    normalises by its own batch and the student's alone are recorded.
    """

    def __init__(self, recipe: Recipe, stream: Stream, *, seed: int) -> None:
        self.network = recipe.model.build(
            stream.inputs, stream.classes, generator("weights", joined(seed, recipe.seed))
        )
        self.layout = layout_of(self.network)
        self.start = self.layout.row(self.network.state_dict())
        self._stacks = stacks(recipe.model, Shape(stream.inputs, stream.classes))
        self._skeleton = program(recipe), stream.inputs, stream.classes
        self._strategy, self._precision = recipe.strategy, recipe.precision
        buffers = self.network.named_buffers()
        self._counts = [(n, b) for n, b in buffers if not b.is_floating_point()]
        self._programs: dict[object, Program | Loop] = {}

    def logits(self, row: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Of ONE model on x [B, *inputs]. [B, C]."""
        self.network.eval()
        return _forward(self.network, mask)(self.layout.views(row), x)

    def gradients(
        self, students: Tensor, teachers: Tensor, batch: Batch, now: Mapping[str, Tensor]
    ) -> Tensor:
        """Of each member's loss. [M, P] from [M, P] twice and values [M, 1].

        In the columns of the buffers, ``layout.carried``, stand their next values.
        """
        names = tuple(n for n in now if n.startswith("strategy."))
        key = ("gradients", names, batch.mask is None)
        if key not in self._programs:
            self._programs[key] = self._program(self._gradient(names), key, mapped=2 + len(names))
        rest = (batch.x, batch.y) if batch.mask is None else batch
        return self._programs[key](students, teachers, *(now[n] for n in names), *rest)

    def answers(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of each row on the same x. [R, B, C]."""
        key = ("answers", mask is None)
        if key not in self._programs:
            of = self.logits if mask is not None else lambda row, x: self.logits(row, x, None)
            self._programs[key] = self._program(of, key, mapped=1)
        return self._programs[key](rows, x, *(() if mask is None else (mask,)))

    def _program(self, of: Function, key: Hashable, *, mapped: int) -> Program | Loop:
        return Program(of, (key, self._skeleton), mapped) if self._stacks else Loop(of, mapped)

    def _gradient(self, names: tuple[str, ...]) -> Function:
        both = grad(self._loss(names), has_aux=True)

        def gradient(*arguments: Tensor) -> Tensor:
            slopes, buffers = both(*arguments)
            if buffers:
                at = self.layout.carried
                parts = (slopes[: at.start], *(b.flatten() for b in buffers), slopes[at.stop :])
                slopes = torch.cat(parts)
            return slopes

        return gradient

    def _loss(self, names: tuple[str, ...]) -> Callable[..., tuple[Tensor, list[Tensor]]]:
        def loss(student: Tensor, teacher: Tensor, *rest: Tensor) -> tuple[Tensor, list[Tensor]]:
            now = {n: v.squeeze(0) for n, v in zip(names, rest, strict=False)}
            x, y, *mask = rest[len(names) :]
            batch = Batch(x, y, mask[0] if mask else None)
            views, teacher_views = self._views(student), self._views(teacher)
            self.network.train()
            forward = computed_in(self._precision, _forward(self.network, batch.mask))
            value = self._strategy.loss(forward, views, teacher_views, batch, now)
            return value, [views[name] for name in self._buffers]

        return loss

    @property
    def _buffers(self) -> tuple[str, ...]:
        return self.layout.names[len(self.layout.names) - self.layout.buffers :]

    def _views(self, row: Tensor) -> Weights:
        """The tensors in ``row``; of its buffers copies, which a forward may overwrite."""
        views = self.layout.views(row)
        copies = {name: views[name].detach().clone() for name in self._buffers}
        return views | copies | {name: count.clone() for name, count in self._counts}


def _forward(network: nn.Module, mask: Tensor | None) -> Callable[[Weights, Tensor], Tensor]:
    def forward(weights: Weights, x: Tensor) -> Tensor:
        logits: Tensor = functional_call(network, weights, (x,))
        return logits if mask is None else torch.where(mask, logits, MASKED)

    return forward
