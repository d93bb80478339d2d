"""Aims: what a study may ask to be measured, and what has to be measured for it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from search.limits import bound_complaint, region_complaint
from search.templates import searched
from spaces.corners import corners_of
from spaces.faults import Fault, locate
from spaces.objectives import Aim
from spaces.problems import hint
from spaces.specs import validate
from trainables.averagers import Averager
from trainables.evaluation import Evaluation, Looks
from trainables.metrics import METRICS, PREFIX, Metric, known, named, names
from trainables.scenarios import Scenario
from trainables.scenarios.noisy_labels import NoisyLabels
from trainables.scenarios.wrapper import Wrapper

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from search.settings import Settings

UNASKED = ("seconds", "parameters", "curve")
"""Measures not made when a task is finished: the study knows the first two, and evaluates for the third."""


def wanted(file: Settings) -> dict[str, None]:
    """The measures that the study's objectives, constraints and metrics need besides accuracy."""
    said = (*file.goals.names, *file.metrics)
    needed = dict.fromkeys(need for name in said for need in named(name).needs)
    return {name: None for name in needed if name != "accuracy"}


def evaluation_of(file: Settings) -> Evaluation:
    """What is to be measured when a task is finished."""
    measures = tuple(name for name in wanted(file) if name not in UNASKED)
    return Evaluation(measures, file.evaluate.every if file.evaluate else None)


def with_worst(data: Any) -> Any:
    """``data`` in which each objective that gives no reference has its metric's worst value."""
    aims = data.get("objectives") if isinstance(data, dict) else None
    if not isinstance(aims, dict):
        return data
    return data | {"objectives": {name: _aim(name, aim) for name, aim in aims.items()}}


def aim_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the objectives, constraints, preferences and metrics of a study file."""
    scenario, looks = (
        validate(Scenario, data.get("scenario")),
        validate(Looks, data.get("evaluate")),
    )
    stream = None if isinstance(scenario, list) else scenario
    every = None if isinstance(looks, list) else looks.every
    found: list[Fault] = []
    aims, further = data.get("objectives"), data.get("metrics")
    for name, aim in aims.items() if isinstance(aims, dict) else ():
        told = _complaint(name, stream, every) or _aim_complaint(name, aim)
        found += _faults(("objectives", name), told)
    for name, said in _named(data, "constraints"):
        told = _complaint(name, stream, every) or bound_complaint(name, said)
        found += _faults(("constraints", name), told)
    for name, said in _named(data, "preferences"):
        objectives = aims if isinstance(aims, dict) else {}
        found += _faults(("preferences", name), region_complaint(name, said, objectives))
    for i, name in enumerate(further if isinstance(further, list) else ()):
        if isinstance(name, str):
            found += _faults(("metrics", i), _complaint(name, stream, every))
    return found


def unseen_faults(data: Mapping[str, Any]) -> list[Fault]:
    """Averagers that are averages at the ends of tasks only, where the study looks in between."""
    space = searched(data)
    if data.get("evaluate") is None or "averagers" not in space.template:
        return []
    template = space.template["averagers"]
    faults: dict[Fault, None] = {}
    for chosen, filled in corners_of(space, "averagers"):
        made = validate(Averager, filled, template=template, chosen=chosen)
        if isinstance(made, list) or made.steers:
            continue
        path = ("averagers", *locate((), template, chosen).path)
        message = f"{filled['kind']} is an average at the ends of tasks only, and evaluate looks in between"
        faults[Fault(path, path, message)] = None
    return list(faults)


def _named(data: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """What the mapping under ``key`` says, by name; nothing if it is none."""
    said = data.get(key)
    return [(n, v) for n, v in said.items() if isinstance(n, str)] if isinstance(said, dict) else []


def _faults(path: tuple[str | int, ...], complaint: str) -> Iterable[Fault]:
    return [Fault(path, path, complaint)] if complaint else []


def _aim(name: str, aim: Any) -> Any:
    aim = {"direction": aim} if isinstance(aim, str) else aim
    if not known(name) or not isinstance(aim, dict):
        return aim
    worst = _worst(named(name))
    return {"reference": worst} | aim if isfinite(worst) else aim


def _worst(metric: Metric) -> float:
    return metric.low if metric.direction == "max" else metric.high


def _complaint(name: str, scenario: Scenario | None, every: int | None) -> str:
    """Why there is no such metric, or not of this study; nothing if there is."""
    base = METRICS.get(name.removeprefix(PREFIX))
    if base is not None and not known(name):
        return f"{base.name} is of the whole run, not of its weights: there is no {name}"
    if base is None:
        return f"unknown metric{hint(name, names())}"
    if "curve" in base.needs and (every is None or every > base.rate):
        most = 1 if base.rate == 1 else 10
        said = "none" if every is None else f"every {every} steps"
        return f"is of accuracies between the ends of tasks: say evaluate: {{every: {most}}}, got {said}"
    return "" if scenario is None else _lacking(base, scenario)


def _lacking(metric: Metric, scenario: Scenario) -> str:
    """What the scenario has not that the metric is of."""
    if "probe_base" in metric.needs and scenario.increment() != "instance":
        return "is of a base set, which only instance-incremental scenarios have"
    if "memorised" in metric.needs and not _corrupts(scenario):
        return "is of corrupted labels, which only noisy_labels with a rate above 0 has"
    tasks = scenario.clock().task_count
    if tasks < metric.tasks_needed:
        return f"is of {metric.tasks_needed} tasks and more, the scenario has {tasks}"
    return ""


def _corrupts(scenario: Scenario) -> bool:
    """Whether some training labels are wrong, in whatever it is wrapped."""
    if isinstance(scenario, NoisyLabels) and scenario.rate > 0:
        return True
    return isinstance(scenario, Wrapper) and _corrupts(scenario.of)


def _aim_complaint(name: str, said: Any) -> str:
    """What is wrong with what is said of a metric."""
    aim, metric = validate(Aim, _aim(name, said)), named(name)
    if isinstance(aim, list):
        return ""
    if aim.direction != metric.direction:
        better = "more" if metric.direction == "max" else "less"
        return f"{better} {name} is better: write {metric.direction}, got {aim.direction}"
    if aim.reference is None:
        return (
            f"has no worst value of its own: say from where on it counts, "
            f"{{direction: {metric.direction}, reference: ...}}"
        )
    if metric.low <= aim.worst <= metric.high:
        return ""
    return f"its reference must be between {metric.low} and {metric.high}, got {aim.worst:g}"
