"""Checks: everything that is wrong with what a study file says, found in one pass."""

from __future__ import annotations

from typing import Any

from search.aims import aim_faults, unseen_faults, with_worst
from search.anchors import anchor_faults
from search.budgets import Budget
from search.fits import misfits
from search.grounds import claim_faults
from search.rungs import Rungs
from search.settings import Written
from search.templates import SEARCHED, searched, space_of
from spaces.corners import corner_faults
from spaces.domains import BROKEN, Choice, Range
from spaces.faults import Fault
from spaces.misled import same_faults
from spaces.problems import Path, told
from spaces.same import Same
from spaces.space import holes, sames
from spaces.specs import validate
from trainables.averagers import Averager
from trainables.recipes import Recipe
from trainables.scenarios import Scenario


def faults_of(data: Any) -> list[Fault]:
    """All that keeps ``data`` from being a study; nothing if it is one."""
    fixed = _listed(_without_holes(data))
    found = validate(Written, with_worst(fixed), template=fixed)
    faults = found if isinstance(found, list) else []
    if not isinstance(data, dict):
        return faults
    return [
        *faults,
        *_misplaced_holes(data),
        *aim_faults(fixed),
        *_rung_faults(fixed.get("rungs"), fixed.get("scenario")),
        *_repeat_faults(data),
        *_space_faults(data),
        *unseen_faults(data),
        *misfits(data),
        *_nothing_to_search(data),
        *anchor_faults(data),
        *claim_faults(data),
    ]


def written(data: Any) -> Written:
    """``data``, of which ``faults_of`` finds none, as it is typed."""
    found = validate(Written, with_worst(_listed(data)))
    assert isinstance(found, Written), found
    return found


def _listed(data: Any) -> Any:
    """``data`` with the averagers as a list, where they are a choice."""
    said = data.get("averagers") if isinstance(data, dict) else None
    return data | {"averagers": list(said.options)} if isinstance(said, Choice) else data


def _without_holes(data: Any) -> Any:
    """``data`` with ``BROKEN`` for each hole that stands where none may: those are told apart."""
    if not isinstance(data, dict):
        return data
    return {key: value if key in SEARCHED else _broken(value) for key, value in data.items()}


def _broken(node: Any) -> Any:
    match node:
        case Range() | Choice() | Same():
            return BROKEN
        case dict():
            return {key: _broken(value) for key, value in node.items()}
        case list():
            return [_broken(value) for value in node]
    return node


def _misplaced_holes(data: dict[str, Any]) -> list[Fault]:
    found: dict[Path, Fault] = {}
    where = " and ".join(SEARCHED)
    for path, domain in holes({k: v for k, v in data.items() if k not in SEARCHED}):
        if not any(path[:n] in found for n in range(len(path))):
            message = f"a hole may stand under {where} only, got {told(domain)}"
            found[path] = Fault(path, path, message)
    for path, same in sames(data):
        if len(path) == 1 or path[0] not in SEARCHED:
            found[path] = Fault(path, path, f"!same may stand under {where} only, got {same}")
    return list(found.values())


def _rung_faults(rungs: Any, scenario: Any) -> list[Fault]:
    judging, stream = validate(Rungs, rungs), validate(Scenario, scenario)
    if isinstance(judging, list) or isinstance(stream, list):
        return []
    misfit = judging.misfit(stream.clock().task_count)
    if misfit is None:
        return []
    path = ("rungs", misfit[0])
    return [Fault(path, path, misfit[1])]


def _repeat_faults(data: dict[str, Any]) -> list[Fault]:
    searched_seed = any(path == ("seed",) for path, _ in holes(data.get("recipe")))
    if data.get("repeats") is None or not searched_seed:
        return []
    message = "repeats train with further seeds, so there is nothing to search: give one, or none"
    return [Fault(("recipe", "seed"), ("recipe", "seed"), message)]


def _space_faults(data: dict[str, Any]) -> list[Fault]:
    space = searched(data)
    faults = same_faults(space.template, ("recipe",)) + corner_faults(Recipe, space, "recipe")
    if "averagers" in space.template:
        faults += corner_faults(Averager, space, "averagers")
    return faults


def _nothing_to_search(data: dict[str, Any]) -> list[Fault]:
    budget, space = validate(Budget, data.get("budget")), space_of(data)
    if isinstance(budget, list) or budget.most == 1 or space is None or space.knobs():
        return []
    message = (
        "there is nothing to search: neither the recipe nor the averager has a hole, such as "
        f"!log [1e-3, 1], got {budget.candidates or 'any number of'} candidates"
    )
    return [Fault(("budget",), ("budget", "candidates"), message)]
