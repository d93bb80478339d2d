"""Lessons: all that one member may learn from in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from trainables.averagers import Averager
from trainables.scenarios.base import Batch
from trainables.stacks import Weights

Forward: TypeAlias = Callable[[Weights, Tensor, Tensor | None], Tensor]
"""Logits [B, C] of the model with these weights; classes that the mask leaves out never win."""

Features: TypeAlias = Callable[[Weights, Tensor], Tensor]
"""What the last layer is given. [B, F]."""


OF_BOUNDARIES = frozenset({"old", "new"})
"""What of a batch only those can know who know where tasks end."""


class Lesson(NamedTuple):
    """What ONE member is shown in one step.

    ``companions`` are the weights that it is given beside its student, and ``now`` this step's
    scalar of each schedule, both by the path of their field ("teacher", "terms.0.weight").
    """

    forward: Forward
    features: Features
    student: Weights
    companions: Mapping[str, Weights]
    batch: Batch
    now: Mapping[str, Tensor]

    def logits(self, weights: Weights) -> Tensor:
        """Of the batch. [B, C]."""
        return self.forward(weights, self.batch.x, self.batch.mask)

    def recalled(self, weights: Weights, draw: int = 0) -> Tensor:
        """Logits of the samples that the memory shows again. [R, C]."""
        replay = self.batch.replay
        assert replay is not None, "a strategy that recalls says so in needs"
        mask = None if replay.mask is None else replay.mask[draw]
        return self.forward(weights, replay.x[draw], mask)

    def joined(self, weights: Weights, draw: int = 0) -> tuple[Tensor, Tensor]:
        """Logits of the batch [B, C] and of what the memory shows again [R, C], by one forward.

        What a network makes of whole batches, as batch normalisation does, it makes of both.
        """
        x, mask, replay = self.batch.x, self.batch.mask, self.batch.replay
        assert replay is not None, "a strategy that recalls says so in needs"
        masks = None
        if mask is not None and replay.mask is not None:
            masks = torch.cat([mask.expand(len(x), -1), replay.mask[draw]])
        both = self.forward(weights, torch.cat([x, replay.x[draw]]), masks)
        return both[: len(x)], both[len(x) :]

    def within(self, path: str) -> Lesson:
        """The same lesson as a part of the strategy sees it: the part in the field ``path``."""
        return self._replace(companions=below(self.companions, path), now=below(self.now, path))


def below(named: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What stands under ``path``, by the rest of its path."""
    return {n[len(path) + 1 :]: v for n, v in named.items() if n.startswith(path + ".")}


def refuse_idle_teachers(spec: Any) -> None:
    """Raises ValueError if an average that is known at the ends of tasks only is to teach."""
    for f in fields(spec):
        value = getattr(spec, f.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Averager) and not (one.steers or one.live):
                kind = type(one).__name__.lower()
                raise ValueError(f"{f.name}: a {kind} is known at the ends of tasks only")
