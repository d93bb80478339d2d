"""One configuration the plain way: a module, ``torch.optim``, ``copy.deepcopy`` for its averages.

Written for speed as a careful user of PyTorch would: the fused optimizer and multi-tensor averages,
both measured to be the fastest of their kinds for these networks. Shares with Equipoise the specs,
the first weights and the order of batches, so that results can be compared, and no other code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from trainables.seeds import generator
from trainables.strategies.mean_teacher import MeanTeacher

if TYPE_CHECKING:
    from search.plans import Candidate
    from spaces.schedules.base import Table
    from trainables.scenarios.base import Split, Stream


def train(
    candidate: Candidate, stream: Stream, *, seed: int, nudge: float = 0.0
) -> Iterator[tuple[float, ...]]:
    """Trains on ``stream``, on whose device it runs; only streams without masks.

    The first weights are ``1 + nudge`` times those that ``seed`` draws.
    Yields, after each task, the average's accuracy on the validation sets of all tasks so far.
    """
    recipe, clock = candidate.recipe, stream.clock
    device = stream.train[0].x.device
    model = recipe.model.build(stream.inputs, stream.classes, generator("weights", seed)).to(device)
    torch._foreach_mul_([p.detach() for p in model.parameters()], 1 + nudge)
    lr, momentum, decay = (
        getattr(recipe.optimizer, name).table(clock).tolist()
        for name in ("lr", "momentum", "decay")
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=lr[0], momentum=momentum[0], fused=True)
    group = optimizer.param_groups[0]
    average = Average(model, candidate.averager.weights(clock))
    averages, loss_of = [average], _finetune
    if isinstance(recipe.strategy, MeanTeacher):
        same = recipe.strategy.teacher == candidate.averager
        teacher = average if same else Average(model, recipe.strategy.teacher.weights(clock))
        averages = [average] if same else [average, teacher]
        loss_of = _agreement(teacher.model, recipe.strategy.agreement.table(clock).tolist())
    step = 0
    batches = stream.batch_indices(seed=seed, size=recipe.batch)
    for task, (split, order) in enumerate(zip(stream.train, batches, strict=True)):
        for x, y in zip(split.x[order], split.y[order], strict=True):
            group["lr"], group["momentum"], group["weight_decay"] = (
                lr[step],
                momentum[step],
                decay[step],
            )
            loss = loss_of(model(x), x, y, step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            for each in averages:
                each.follow(step)
            step += 1
        yield _accuracy(average.model, stream.validation[: task + 1])


class Average:
    """A copy of ``model`` that takes in the share ``table[step]`` of it after each step.

    By the calls that ``torch.optim.swa_utils`` itself makes, without its ``AveragedModel`` around.
    """

    def __init__(self, model: nn.Module, table: Table) -> None:
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self._to, self._from = list(self.model.parameters()), list(model.parameters())
        self._table = table.tolist()

    @torch.no_grad()
    def follow(self, step: int) -> None:
        share = self._table[step]
        if share == 1:
            torch._foreach_copy_(self._to, self._from)
        elif share > 0:
            torch._foreach_lerp_(self._to, self._from, share)


def _finetune(logits: Tensor, x: Tensor, y: Tensor, step: int) -> Tensor:
    del x, step
    return cross_entropy(logits, y)


def _agreement(teacher: nn.Module, strength: list[float]) -> Callable[..., Tensor]:
    def loss(logits: Tensor, x: Tensor, y: Tensor, step: int) -> Tensor:
        with torch.no_grad():
            aim = teacher(x).softmax(-1)
        return cross_entropy(logits, y) + strength[step] * mse_loss(logits.softmax(-1), aim)

    return loss


@torch.no_grad()
def _accuracy(model: nn.Module, splits: tuple[Split, ...]) -> tuple[float, ...]:
    right = [(model(s.x).argmax(-1) == s.y).sum() for s in splits]
    return tuple(n / len(s) for n, s in zip(torch.stack(right).tolist(), splits, strict=True))
