"""A learner: one network as a function of a row of weights, and its programs over many rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from trainables.programs import Program
from trainables.recipes import Recipe
from trainables.scenarios.base import Batch, Stream
from trainables.seeds import generator
from trainables.stacks import Weights, layout_of
from trainables.tables import skeleton

MASKED = -1e9
"""The logit of a class that may not be answered: never wins, and its probability rounds to 0."""


class Learner:
    """The network of a recipe on a stream; ``start`` [P] are its weights as ``seed`` draws them."""

    def __init__(self, recipe: Recipe, stream: Stream, *, seed: int) -> None:
        self.network = recipe.model.build(stream.inputs, stream.classes, generator("weights", seed))
        self.layout = layout_of(self.network)
        self.start = self.layout.row({n: p.detach() for n, p in self.network.named_parameters()})
        self._skeleton = skeleton(recipe), stream.inputs, stream.classes
        self._strategy = recipe.strategy
        self._programs: dict[object, Program] = {}

    def logits(self, row: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Of ONE model on x [B, *inputs]. [B, C]."""
        return _forward(self.network, mask)(self.layout.views(row), x)

    def gradients(
        self, students: Tensor, teachers: Tensor, batch: Batch, now: Mapping[str, Tensor]
    ) -> Tensor:
        """Of each member's loss. [M, P] from [M, P] twice and values [M, 1]."""
        names = tuple(n for n in now if n.startswith("strategy."))
        key = ("gradients", names, batch.mask is None)
        if key not in self._programs:
            self._programs[key] = Program(
                grad(self._loss(names)), (key, self._skeleton), mapped=2 + len(names)
            )
        rest = (batch.x, batch.y) if batch.mask is None else batch
        return self._programs[key](students, teachers, *(now[n] for n in names), *rest)

    def answers(self, rows: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """Logits of each row on the same x. [R, B, C]."""
        key = ("answers", mask is None)
        if key not in self._programs:
            of = self.logits if mask is not None else lambda row, x: self.logits(row, x, None)
            self._programs[key] = Program(of, (key, self._skeleton), mapped=1)
        return self._programs[key](rows, x, *(() if mask is None else (mask,)))

    def _loss(self, names: tuple[str, ...]) -> Callable[..., Tensor]:
        def loss(student: Tensor, teacher: Tensor, *rest: Tensor) -> Tensor:
            now = {n: v.squeeze(0) for n, v in zip(names, rest, strict=False)}
            x, y, *mask = rest[len(names) :]
            batch = Batch(x, y, mask[0] if mask else None)
            views, teacher_views = self.layout.views(student), self.layout.views(teacher)
            forward = _forward(self.network, batch.mask)
            return self._strategy.loss(forward, views, teacher_views, batch, now)

        return loss


def _forward(network: nn.Module, mask: Tensor | None) -> Callable[[Weights, Tensor], Tensor]:
    def forward(weights: Weights, x: Tensor) -> Tensor:
        logits: Tensor = functional_call(network, weights, (x,))
        return logits if mask is None else torch.where(mask, logits, MASKED)

    return forward
