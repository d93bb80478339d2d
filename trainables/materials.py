"""Materials: all that a cohort's members are shown at each step, in the order that the seed decides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from trainables.recipes import Recipe
from trainables.replays import Course, course
from trainables.scenarios.base import Batch, Replay, Stream
from trainables.seeds import generator

KNOWN = {"later", "old", "new"}

STORED = "stored"
"""What a strategy calls its members' logits of when a sample was put into the memory."""


class Materials:
    """Batches of a stream, with what a recipe's strategy looks at besides and nothing more.

    All of it is shared by the members, but for the logits [M, size, C] of remembered samples.
    """

    def __init__(self, recipe: Recipe, stream: Stream, *, seed: int, members: int) -> None:
        self._stream, self._seed = stream, seed
        self._needs = recipe.strategy.needs()
        self._batches = stream.batch_indices(seed=seed, size=recipe.batch)
        self._course: Course | None = None
        self._stored: Tensor | None = None
        if recipe.memory is not None:
            draws = recipe.strategy.draws()
            self._course = course(recipe.memory, stream, self._batches, seed=seed, draws=draws)
            if STORED in self._needs:
                shape = members, recipe.memory.size, stream.classes
                self._stored = torch.zeros(shape, device=stream.train[0].x.device)
        self._met = _met(stream)

    def batches(self, task: int, steps: range) -> Iterator[Batch]:
        """The batches of ``steps`` of the whole stream, which lie in ``task``."""
        first, split = self._stream.clock.task_starts[task], self._stream.train[task]
        chosen = self._batches[task][steps.start - first : steps.stop - first]
        x, y = (_picked(of, chosen) for of in (split.x, split.y))
        noise = self._noise(x, steps).unbind() if "noise" in self._needs else repeat(None)
        mask = None if self._stream.masks is None else self._stream.masks[task]
        shown = self._known(task) if self._needs & KNOWN else {}
        for step, xs, ys, drawn in zip(steps, x.unbind(), y.unbind(), noise, strict=False):
            yield Batch(xs, ys, mask, noise=drawn, replay=self._replay(step), **shown)

    def _known(self, task: int) -> dict[str, Tensor]:
        """What is known of a task, as far as it is needed."""
        old, new = self.met(task)
        later = torch.tensor(float(self._is_later(task)), device=old.device)
        known = {"later": later, "old": old, "new": new}
        return {n: t for n, t in known.items() if n in self._needs}

    def _is_later(self, task: int) -> bool:
        """Whether there is a past; where no boundaries are known it begins with the first step."""
        return task > 0 or not self._stream.boundaries

    def met(self, task: int) -> tuple[Tensor, Tensor]:
        """The classes of earlier tasks, and those of ``task``. Bool [C] each."""
        return self._met[:task].any(0), self._met[task]

    def answered(self, batch: Batch, step: int, part: slice) -> Batch:
        """``batch`` with what the members in ``part`` answered when its samples were stored."""
        if self._stored is None or self._course is None or batch.replay is None:
            return batch
        stored = self._stored[part][:, self._course.seats[step]]
        return batch._replace(replay=batch.replay._replace(stored=stored))

    @property
    def remembers(self) -> bool:
        """Whether members' answers are ever stored, by places that are others at every step."""
        return self._stored is not None

    def stores(self, step: int) -> bool:
        """Whether the members' answers to this step's batch are to be remembered."""
        if self._stored is None or self._course is None:
            return False
        return len(self._course.put(step).places) > 0

    def store_(self, step: int, part: slice, logits: Tensor) -> None:
        """Remembers the logits [m, B, C] of those samples of the batch that are put into the memory."""
        assert self._stored is not None
        assert self._course is not None
        samples, places = self._course.put(step)
        self._stored[part, places] = logits[:, samples]

    def tensors(self) -> list[Tensor]:
        """All that steps change."""
        return [] if self._stored is None else [self._stored]

    def keep(self, members: list[int]) -> None:
        self._stored = None if self._stored is None else self._stored[members]

    def state_dict(self) -> dict[str, Any]:
        return {} if self._stored is None else {STORED: self._stored}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._stored is not None:
            self._stored.copy_(state[STORED])

    def _replay(self, step: int) -> Replay | None:
        return None if self._course is None else self._course.replay(step, self._stream.masks)

    def _noise(self, x: Tensor, steps: range) -> Tensor:
        """Standard normal, like x [n, B, *inputs]; the same on every device."""
        each = [
            torch.randn(x.shape[1:], generator=generator("noise", self._seed, step))
            for step in steps
        ]
        return torch.stack(each).to(x)


def _picked(samples: Tensor, chosen: Tensor) -> Tensor:
    """``samples[chosen]``, in a quarter of the time on a CPU."""
    return samples.index_select(0, chosen.flatten()).view(*chosen.shape, *samples.shape[1:])


def _met(stream: Stream) -> Tensor:
    """Whether each task trains on each class. Bool [tasks, C]."""
    found = torch.zeros(len(stream.train), stream.classes, dtype=torch.bool)
    for task, split in enumerate(stream.train):
        found[task, torch.unique(split.y).cpu()] = True
    return found.to(stream.train[0].y.device)
