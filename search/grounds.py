"""Grounds: whether a study measures and varies what its claims are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from search.claims import Claim
from search.evidence import is_number, options, setting
from search.templates import space_of
from spaces.domains import Choice, Range
from spaces.faults import Fault
from spaces.problems import Path, hint, told
from spaces.specs import validate
from trainables.metrics import known, named, names

Configs: TypeAlias = "list[Mapping[str, Any]]"
Told: TypeAlias = "tuple[Path, str]"
"""A path within a claim, and what is wrong there."""


def claim_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What keeps the claims of a study file from being judged."""
    claims = data.get("claims")
    if not isinstance(claims, list):
        return []
    configs, recorded = _configs(data), _recorded(data)
    faults: list[Fault] = []
    for i, said in enumerate(claims):
        claim = validate(Claim, said)
        if isinstance(claim, list):
            continue
        at = ("claims", i, said["kind"])
        found = _metric_faults(claim, recorded)
        if configs:
            found += [*_knob_faults(claim, configs), *_condition_faults(claim, configs)]
        faults += [Fault(("claims", i, *path), (*at, *path), message) for path, message in found]
    return faults


def _configs(data: Mapping[str, Any]) -> Configs:
    """Configurations in which every setting that can be said is said. None if they cannot be read."""
    space = space_of(data)
    return [] if space is None else [filled for _, filled in space.corners()]


def _recorded(data: Mapping[str, Any]) -> list[str]:
    """The metrics that this study records."""
    aims, further = data.get("objectives"), data.get("metrics")
    bounds = data.get("constraints")
    said = [
        *(aims if isinstance(aims, dict) else ()),
        *(bounds if isinstance(bounds, dict) else ()),
        *(further if isinstance(further, list) else ()),
    ]
    measured = {need for n in said if isinstance(n, str) and known(n) for need in named(n).needs}
    measured |= set() if data.get("evaluate") is None else {"curve"}
    return [n for n in names() if measured.issuperset({*named(n).needs} - {"accuracy"})]


def _metric_faults(claim: Claim, recorded: Iterable[str]) -> list[Told]:
    """At most one: an unknown metric is not recorded of the student either."""
    for field, metric in claim.metrics().items():
        if not known(metric):
            return [((field,), f"unknown metric {metric!r}{hint(metric, names())}")]
        if metric not in recorded:
            return [((field,), f"{metric} is not recorded: add it to the study's metrics")]
    return []


def _knob_faults(claim: Claim, configs: Configs) -> Iterator[Told]:
    for field, path in claim.knobs().items():
        found = [setting(config, path) for config in configs]
        numbers = set(filter(is_number, found))
        if len(numbers) < 2:
            what = f"is always {told(numbers.pop())}" if numbers else "is never a number"
            yield (field,), _missing(path, configs) or f"{path} {what} in this study"


def _condition_faults(claim: Claim, configs: Configs) -> Iterator[Told]:
    for field, where in claim.conditions().items():
        for path, wanted in where.items():
            message = _missing(path, configs) or _impossible(path, wanted, configs)
            if message:
                yield (field, path), message


def _missing(path: str, configs: Configs) -> str:
    """That there is no such setting, if so."""
    if any(setting(config, path) is not None for config in configs):
        return ""
    paths = {".".join(map(str, p)) for config in configs for p in _paths(config)}
    return f"no configuration of this study says {path}{hint(path, paths)}"


def _impossible(path: str, wanted: Any, configs: Configs) -> str:
    found = [setting(config, path) for config in configs]
    numbers = list(filter(is_number, found))
    for value in options(wanted):
        if isinstance(value, Range | Choice):
            return ""  # told of as a hole where none may be
        if value is not None and not isinstance(value, str | int | float):
            return f"a word, a number, null or a list of these is due, got {told(value)}"
        within = is_number(value) and numbers and min(numbers) <= value <= max(numbers)
        if not within and value not in found:
            others = {"null" if other is None else str(other) for other in found}
            return f"{path} is never {told(value)}{hint(value, others)}"
    return ""


def _paths(node: Any, at: Path = ()) -> Iterator[Path]:
    if at:
        yield at
    if isinstance(node, Mapping):
        for key, inside in node.items():
            yield from _paths(inside, (*at, key))
    elif isinstance(node, list | tuple):
        for i, inside in enumerate(node):
            yield from _paths(inside, (*at, i))
