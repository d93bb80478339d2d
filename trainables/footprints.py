"""Footprints: the memory that a cohort will hold, from what it is made of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from trainables.averagers import Averager
from trainables.averagers.live import Live
from trainables.averagers.merged import Merged
from trainables.bank import BLOCK
from trainables.branches.base import deploys_branch
from trainables.columns import columns_of
from trainables.importances import Importance
from trainables.readings import reading
from trainables.scenarios.base import Shape
from trainables.seating import holder, teachers
from trainables.stacks import layout_of
from trainables.tables import specs_in

if TYPE_CHECKING:
    from spaces.clock import Clock
    from trainables.merges import Merge
    from trainables.models import Model
    from trainables.recipes import Recipe
    from trainables.scenarios import Scenario
    from trainables.scenarios.base import Stream

FLOAT, DOUBLE, LONG = 4, 8, 8
"""Bytes."""

STARTS = 2
"""Rows of every member: what the stream and the task began with."""


def footprint(
    recipe: Recipe, stream: Stream, *, members: int, averages: int, cohorts: int = 1
) -> int:
    """Bytes of a cohort of ``members`` with ``averages`` each, all of them of ``recipe``'s program.

    Of two ``cohorts`` if it has a twin. An averager counts as many times as ``rows`` says, also one
    that is its member's teacher, which takes none: then this is more than will be held.

    Counts every tensor that lasts: weights in their slots, the optimizer's memory, teachers,
    averages, tables, batches, the data. What passes within a step (gradients, activations) and what
    Python and PyTorch take themselves come on top.
    """
    clock, row = stream.clock, width(recipe.model, stream)
    columns = columns_of(recipe, clock)
    lasting = len(recipe.optimizer.memory) + sum(beside(recipe, clock).values())
    rows = BLOCK + lasting + STARTS + averages
    if recipe.branch is not None:
        rows += 1 + lasting  # what the trunk is put back to
    coefficients = averages * clock.steps * FLOAT
    sides = 1 if recipe.branch is None else 2
    read = sides * len(columns) * clock.steps * (FLOAT + DOUBLE)
    order = clock.steps * recipe.batch * LONG
    # The network itself and its first weights stand beside the stacks.
    weights = (members * rows + 2) * row * FLOAT
    kept = _remembered(recipe, stream, members)
    kept += members * _aligned(recipe, Shape(stream.inputs, stream.classes)) * FLOAT
    each = weights + members * (coefficients + read) + order + kept
    return cohorts * each + _data(stream)


def beside(recipe: Recipe, clock: Clock) -> dict[str, int]:
    """Rows of weights that stand beside a member's student and the averages that follow it."""
    importances = specs_in(recipe, Importance).values()
    averages = specs_in(recipe, Averager).values()
    return {
        "teachers and targets": sum(1 + a.extra if isinstance(a, Live) else 1 for a in averages),
        "importances": sum(1 + len(importance.sums) for importance in importances),
        "ends of tasks": _ends(recipe.merge, clock),
        "branches": 0 if recipe.branch is None else 1,
    }


def _ends(merge: Merge | None, clock: Clock) -> int:
    """What is kept of the ends of all tasks for a merge to look at."""
    return 0 if merge is None else clock.task_count * (merge.ends + merge.fishers)


def _remembered(recipe: Recipe, stream: Stream, members: int) -> int:
    """What a memory takes: the samples once more, what is shown when, logits that are stored."""
    if recipe.memory is None:
        return 0
    steps, count = stream.clock.steps, sum(len(s) for s in stream.train)
    shown = steps * recipe.strategy.draws() * recipe.memory.batch * 2 * LONG
    logits = members * recipe.memory.size * stream.classes * FLOAT
    samples = sum(s.x.numel() for s in stream.train) * FLOAT + 2 * count * LONG
    # Each sample is put somewhere once, at most, unless a memory takes it again.
    puts = steps * (FLOAT + LONG) + 2 * min(count, recipe.memory.size) * LONG
    return shown + samples + puts + (logits if "stored" in recipe.strategy.needs() else 0)


def _aligned(recipe: Recipe, shape: Shape) -> int:
    """Numbers that describe the features of the classes that a member met."""
    if recipe.alignment is None:
        return 0
    with torch.device("meta"):
        classes, features = layout_of(recipe.model.network(*shape)).head
    return classes * features * (1 + features)


def rows(averager: Averager, clock: Clock) -> int:
    """How many averages' memory ``averager`` takes; one, unless it is of windows that overlap.

    A merge takes more for what it made last and for the ends of tasks that it looks at.
    """
    windowed = type(averager).weights_at is not Averager.weights_at
    held = _windows(averager, clock) if windowed else 1
    return held + _merged(averager, clock)


@lru_cache(maxsize=4096)
def _windows(averager: Averager, clock: Clock) -> int:
    """The tables of an averager that has windows: to find them takes as long as a hundred hashes."""
    return len(reading(averager, clock).tables)


def _merged(averager: Averager, clock: Clock) -> int:
    return 1 + _ends(averager.by, clock) if isinstance(averager, Merged) else 0


def parameters(recipe: Recipe, averager: Averager, scenario: Scenario) -> int:
    """Numbers that the method keeps from task to task, a network's parameters times how many.

    The student, the average if it is another and no teacher (a branch if that is deployed), what the recipe's averagers hold (teachers, anchors),
    what its importances gather, the ends of tasks that its merge is of and what its alignment knows
    of old classes. Not an optimizer's
    memory, which may start anew with each task, nor a memory's samples.
    """
    clock = scenario.clock()
    read = reading(averager, clock)
    held = holder(recipe, averager, read, teachers(recipe, clock)) is not None
    followed = [] if held else [row for row in read.tables if not (row == 1).all()]
    with torch.device("meta"):
        network = recipe.model.network(*scenario.shape())
    count = sum(p.numel() for p in network.parameters())
    made = len(followed) + _merged(averager, clock)
    kept = beside(recipe, clock)
    if not deploys_branch(recipe, averager):
        kept["branches"] = 0  # thrown away at once
    stacks = 1 + made + sum(kept.values())
    return stacks * count + _aligned(recipe, scenario.shape())


def width(model: Model, stream: Stream) -> int:
    """Floats in a row of weights."""
    with torch.device("meta"):
        return layout_of(model.network(stream.inputs, stream.classes)).width


def _data(stream: Stream) -> int:
    splits = (s for part in (stream.train, stream.validation, stream.test) for s in part)
    tensors = {t.untyped_storage().data_ptr(): t for s in splits for t in (s.x, s.y)}
    return sum(t.untyped_storage().nbytes() for t in tensors.values())
