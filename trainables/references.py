"""References: what a network learns that is shown all tasks so far at once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import torch

from spaces.clock import Clock
from trainables.averagers.student import Student
from trainables.cohort import Cohort
from trainables.members import Member, digest
from trainables.panels import Panel
from trainables.recipes import Recipe
from trainables.scenarios.base import Split, Stream

KNOWN: dict[Hashable, float] = {}
"""What was trained in this process: every candidate of a network is held against the same."""


def joint_accuracy(recipe: Recipe, stream: Stream, task: int, *, seed: int) -> float:
    """Validation accuracy on ``task`` of a network trained jointly on tasks 0 to ``task``.

    The reference of intransigence (Chaudhry et al., arXiv:1801.10112). It has the model and the batch
    of ``recipe`` and all else as ``Recipe`` has it by default, so that candidates are held against the
    same whatever their learning rates; it takes as many steps as those tasks last, on the samples
    of all of them shuffled together, and every class may be answered while it trains.
    """
    reference = Recipe(model=recipe.model, batch=recipe.batch)
    judged = stream.validation[task].y.cpu().numpy().tobytes()
    key = (reference, digest(stream), judged, stream.masks is None, task, seed)
    if key not in KNOWN:
        KNOWN[key] = _trained(reference, stream, task, seed)
    return KNOWN[key]


def _trained(recipe: Recipe, stream: Stream, task: int, seed: int) -> float:
    seen = stream.train[: task + 1]
    joint = replace(
        stream,
        clock=Clock(steps=stream.clock.task_ends[task]),
        train=(Split(torch.cat([s.x for s in seen]), torch.cat([s.y for s in seen])),),
        validation=stream.validation[task : task + 1],
        test=stream.test[task : task + 1],
        masks=None,
        true_labels=None,
        once=False,
    )
    device = stream.train[0].x.device
    cohort = Cohort([Member(recipe, (Student(),))], joint, seed=seed, device=device)
    cohort.train_task()
    panel = Panel.of_averages(cohort, joint)
    mask = None if stream.masks is None else stream.masks[task]
    return float(panel.scores(stream.validation[task], mask))
