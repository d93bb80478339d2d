"""Fits: what of a study's space does not go with its scenario, without any training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import torch

from search.templates import searched
from spaces.bounds import PROBE, out_of_bounds
from spaces.clock import Clock
from spaces.corners import corners_of
from spaces.faults import Fault, locate
from spaces.problems import Path
from spaces.schedules import Schedule
from spaces.schedules.base import Table
from spaces.space import Space
from spaces.specs import validate
from trainables.alignment import Alignment
from trainables.averagers import Averager
from trainables.averagers.base import unfollowed
from trainables.averagers.live import Live
from trainables.branches import Branch
from trainables.gating import gated
from trainables.importances import Importance
from trainables.lessons import OF_BOUNDARIES
from trainables.merges import Merge
from trainables.models import Model
from trainables.pulls import Pull
from trainables.recipes import Recipe
from trainables.scenarios import Scenario
from trainables.stacks import layout_of
from trainables.tables import specs_in, tables
from trainables.terms import Term

UNPARTED = Clock(steps=PROBE.steps)
"""As long as ``PROBE``, of one task: what has another table there looks at where tasks begin."""

WHY = "the scenario's tasks have no boundaries that a learner may know"


def misfits(data: dict[str, Any]) -> list[Fault]:
    """Models that cannot take the scenario's samples; what asks for boundaries where none are known."""
    scenario = validate(Scenario, data.get("scenario"))
    if isinstance(scenario, list):
        return []
    space = searched(data)
    faults = _unfit(space, "recipe", Recipe, partial(of_recipe, scenario=scenario))
    if "averagers" in space.template:
        faults |= _unfit(space, "averagers", Averager, partial(of_averager, scenario=scenario))
    return list(faults)


def _unfit(
    space: Space, part: str, kind: type, wrong: Callable[[Any], Iterable[tuple[Path, str]]]
) -> dict[Fault, None]:
    """What is ``wrong`` at the corners of a part, of those that are legal."""
    faults: dict[Fault, None] = {}
    for chosen, filled in corners_of(space, part):
        found = validate(kind, filled)
        if isinstance(found, list):
            continue
        for path, message in wrong(found):
            at = (part, *locate(path, space.template[part], chosen).path)
            faults[Fault(at, at, message)] = None
    return faults


def of_recipe(recipe: Recipe, scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """What of a recipe does not go with ``scenario``: its path and why."""
    yield from out_of_bounds(recipe, _clock_of(scenario))
    if message := _misfit(recipe.model, scenario):
        yield ("model",), message
    if recipe.gate is not None and _ungated(recipe.model, scenario):
        yield ("gate",), "the model has no layer but its last, which is never gated"
    if scenario.once() and (message := _second_look(scenario, recipe.batch)):
        yield ("batch",), message
    if not scenario.boundaries():
        yield from _of_boundaries(recipe)


def of_averager(averager: Averager, scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """What keeps an averager from being deployed, as such and on ``scenario``."""
    yield from out_of_bounds(averager, _clock_of(scenario))
    if (message := unfollowed(averager)) or (
        not scenario.boundaries() and (message := _knows(averager))
    ):
        yield (), message


@lru_cache(maxsize=64)
def _clock_of(scenario: Scenario) -> Clock:
    return scenario.clock()


@lru_cache(maxsize=1024)
def _misfit(model: Model, scenario: Scenario) -> str:
    """Why ``model`` cannot learn ``scenario``; nothing if it can. Computes no weights."""
    try:
        with torch.device("meta"):
            layout_of(model.network(*scenario.shape()))
    except ValueError as error:
        return f"does not fit the scenario: {error}"
    return ""


def _ungated(model: Model, scenario: Scenario) -> bool:
    """Whether a gate would find nothing to look at; not if the model does not fit at all."""
    try:
        with torch.device("meta"):
            return not gated(model.network(*scenario.shape()))
    except ValueError:
        return False


@cache
def _second_look(scenario: Scenario, batch: int) -> str:
    """Why a single pass has no batches of that size; nothing if it has."""
    try:
        scenario.stream().batch_indices(seed=0, size=batch)
    except ValueError as error:
        return str(error)
    return ""


def _of_boundaries(recipe: Recipe) -> Iterator[tuple[Path, str]]:
    """Every part of a recipe that acts where a task ends."""
    if recipe.optimizer_at_task == "reset":
        yield ("optimizer_at_task",), f"reset: {WHY}: write keep"
    for kind in (Schedule, Averager, Pull, Merge, Importance, Alignment, Branch):
        for dotted, part in specs_in(recipe, kind).items():
            if message := _knows(part):
                yield _path(dotted), message
    if recipe.memory is not None and recipe.memory.tells_tasks:
        yield ("memory",), f"must be told which task a sample is of, but {WHY}"
    looks = {"strategy": recipe.strategy.wants}
    looks |= {dotted: term.looks_at() for dotted, term in specs_in(recipe, Term).items()}
    for dotted, wants in looks.items():
        if seen := sorted(wants & OF_BOUNDARIES):
            yield _path(dotted), f"looks at {' and '.join(seen)} classes, but {WHY}"


def _knows(part: Any) -> str:
    """Why a part asks for a task's boundary; nothing if it does not."""
    if isinstance(part, (Merge, Importance, Alignment, Branch)):
        return f"acts at the ends of tasks, but {WHY}"
    if isinstance(part, Live) and type(part).settle_ is not Live.settle_:
        return f"acts at the ends of tasks, but {WHY}"
    if isinstance(part, Averager) and not part.linear:
        return f"is made at the ends of tasks, but {WHY}"
    parted, whole = _own_tables(part, PROBE), _own_tables(part, UNPARTED)
    # A teacher that copies at the end of the stream does so on both clocks.
    if all(np.array_equal(parted[name], whole[name]) for name in parted):
        return ""
    return f"depends on where tasks begin, but {WHY}"


def _own_tables(part: Any, clock: Clock) -> dict[str, Table]:
    """Of a pull how far it goes; its target speaks for itself."""
    if not isinstance(part, Pull):
        return tables(part, clock)
    # A pull that opens tasks opens none of a stream that is one task.
    return {"": part.table(clock), "opening": np.array([part.opening(clock).any()], dtype=float)}


def _path(dotted: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
