"""Distillation: what teachers and students are compared on, in which classes and from when."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from trainables.lessons import Lesson
from trainables.stacks import Weights

Classes: TypeAlias = Literal["all", "old", "seen"]
"""All that the batch's mask counts; those of earlier tasks; those of earlier tasks and of this."""

Tasks: TypeAlias = Literal["all", "later"]
"""Every task, or all but the first."""

SHOWN: dict[Classes, frozenset[str]] = {
    "all": frozenset({"later"}),
    "old": frozenset({"later", "old"}),
    "seen": frozenset({"later", "old", "new"}),
}
"""What of a batch the functions below look at."""


def taught(lesson: Lesson, tasks: Tasks) -> Tensor | float:
    """Whether a teacher teaches in this task: 1 or 0."""
    assert lesson.batch.later is not None
    return 1.0 if tasks == "all" else lesson.batch.later


def counted(lesson: Lesson, classes: Classes) -> Tensor | None:
    """Which logits are compared. Bool [C]; None for every one.

    Old and seen classes count whatever the mask of the batch: a stream that tells the task
    masks all other tasks' heads, which is where its old classes are.
    """
    batch = lesson.batch
    if classes == "all":
        return batch.mask
    assert batch.old is not None
    if classes == "old":
        return batch.old
    assert batch.new is not None
    return batch.old | batch.new


def compared(lesson: Lesson, teacher: Weights, classes: Classes) -> tuple[Tensor, Tensor]:
    """Logits [B, C] of the student and of the teacher; no gradient flows into the latter."""
    mask = counted(lesson, classes)
    mine = lesson.forward(lesson.student, lesson.batch.x, mask)
    return mine, lesson.forward(teacher, lesson.batch.x, mask).detach()


def divergence(mine: Tensor, aim: Tensor, temperature: Tensor) -> Tensor:
    """Temp^2 KL(softmax(aim / Temp) || softmax(mine / Temp)), the mean of the samples, in nats.

    The factor keeps the size of the slopes whatever the temperature (Hinton et al., arXiv:1503.02531,
    section 2).
    """
    return temperature * temperature * divergences(mine, aim, temperature).mean()


def divergences(mine: Tensor, aim: Tensor, temperature: Tensor) -> Tensor:
    """KL(softmax(aim / Temp) || softmax(mine / Temp)) of each sample, in nats. [B] of [B, C]."""
    log_aim = (aim / temperature).log_softmax(-1)
    log_mine = (mine / temperature).log_softmax(-1)
    return (log_aim.exp() * (log_aim - log_mine)).sum(-1)


def mean_over(values: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of ``values`` [B, C] over the samples and those classes that count; 0 if none do."""
    if mask is None:
        return values.mean()
    some = torch.where(mask, values, 0.0).sum(-1) / mask.sum().clamp(min=1)
    return some.mean()
