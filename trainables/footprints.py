"""Footprints: the memory that a cohort will hold, from what it is made of."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from trainables.bank import BLOCK
from trainables.learners import Learner
from trainables.scoring import SAMPLES
from trainables.tables import tables

if TYPE_CHECKING:
    from trainables.recipes import Recipe
    from trainables.scenarios.base import Stream

FLOAT = 4


def footprint(recipe: Recipe, stream: Stream, *, members: int, averages: int) -> int:
    """Bytes of a cohort of ``members`` with ``averages`` each, all of them of ``recipe``'s program.

    Counts what lasts (weights in their slots, gradients, the optimizer's memory, teachers, averages
    and tables) and the data; of what passes, only the inputs that an evaluation reads at once.
    """
    row = len(Learner(recipe, stream, seed=0).start)
    columns = tables(recipe, stream.clock)
    teachers = sum(name == "strategy.teacher" for name in columns)
    rows = BLOCK + 1 + len(recipe.optimizer.memory) + teachers + averages
    steps = stream.clock.steps * (len(columns) + averages)
    samples = sum(len(split) for part in (stream.train, stream.validation) for split in part)
    floats = members * (rows * row + steps) + (samples + SAMPLES) * prod(stream.inputs)
    return FLOAT * floats
