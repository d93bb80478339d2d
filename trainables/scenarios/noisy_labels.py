"""Noisy labels: another scenario, some of whose training labels are wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.scenarios.base import Scenario, Split, Stream
from trainables.scenarios.wrapper import Wrapper
from trainables.seeds import generator


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class NoisyLabels(Wrapper):
    """A share ``rate`` of the training samples of ``of`` are labelled as another class.

    ``pattern`` says which: ``symmetric``, any other class, all equally likely; ``asymmetric``, the
    class after the true one, the last one's being the first (the pair flips of Han et al.,
    arXiv:1804.06872; Patrini et al., arXiv:1609.03683, map chosen pairs of similar classes instead).
    Where the task is told, only its own classes are drawn from and counted; elsewhere all
    classes are, also those that have not been seen yet.

    The rate is exact over the whole stream, to the nearest sample, where the papers draw for every
    sample on its own. A sample that comes in several tasks, equal to the last bit, has the same label
    in each and counts once. Validation, test and probes stay clean. The stream's ``true_labels``
    are those before any noise, so that what is memorised can be measured. 20% is a common
    rate of the literature; the default is ours.
    """

    rate: Annotated[float, Field(ge=0, le=1)] = 0.2
    pattern: Literal["symmetric", "asymmetric"] = "symmetric"
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["noisy_labels"] = "noisy_labels"

    def stream(self) -> Stream:
        clean = self.of.stream()
        turns = self._turns(clean.train)
        made: dict[tuple[int, tuple[int, ...]], Split] = {}
        train = []
        for task, split in enumerate(clean.train):
            key = id(split), _allowed(clean, task)
            if key not in made:
                made[key] = Split(split.x, self._mislabelled(split.y, turns[key[0]], key[1]))
            train.append(made[key])
        true = clean.true_labels or tuple(split.y for split in clean.train)
        return replace(clean, train=tuple(train), true_labels=true)

    def _turns(self, train: tuple[Split, ...]) -> dict[int, Tensor]:
        """How far each sample's label is turned, in [0, 1), or -1 if it stays. By split, float64 [N]."""
        splits = {id(split): split for split in train}
        rows = torch.cat([split.x.flatten(1) for split in splits.values()])
        distinct, place = torch.unique(rows, dim=0, return_inverse=True)
        rng = generator("noise", self.seed)
        turns = torch.rand(len(distinct), generator=rng, dtype=torch.float64)
        turns[torch.randperm(len(distinct), generator=rng)[round(self.rate * len(distinct)) :]] = -1
        cut = torch.split(turns[place], [len(split) for split in splits.values()])
        return dict(zip(splits, cut, strict=True))

    def _mislabelled(self, y: Tensor, turns: Tensor, allowed: tuple[int, ...]) -> Tensor:
        """The labels ``y`` [N] with those that are turned made another of the ``allowed`` classes."""
        others = len(allowed) - 1
        if others == 0 and (turns >= 0).any():
            raise ValueError(
                f"noisy_labels: a task with the class {allowed[0]} alone has no wrong label, "
                f"got rate={self.rate:g}"
            )
        step = 1 + (turns * others).long() if self.pattern == "symmetric" else 1
        classes = torch.tensor(allowed)
        wrong = classes[(torch.searchsorted(classes, y) + step) % len(allowed)]
        return torch.where(turns < 0, y, wrong)


def _allowed(stream: Stream, task: int) -> tuple[int, ...]:
    """The classes that may be answered in ``task``, rising."""
    if stream.masks is None:
        return tuple(range(stream.classes))
    return tuple(stream.masks[task].nonzero().squeeze(1).tolist())
