"""Faults: what pydantic has to say about data, in words for who wrote the file.

pydantic names a place by its own path, in which the kinds of families stand between the keys
("averagers", 0, "ema", "momentum"). ``locate`` follows it through what the file says.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from spaces.domains import BROKEN, Choice, Range
from spaces.problems import Path, dotted, hint, told
from spaces.same import Same
from spaces.space import holes


class Fault(NamedTuple):
    """``path`` leads to the node in the template; ``shown`` is that with the kinds named."""

    path: Path
    shown: Path
    message: str


class Site(NamedTuple):
    """Where a pydantic path leads: the last ``node`` there is, and the ``rest`` of the path."""

    path: Path
    shown: Path
    node: Any
    rest: Path


def faults_in(
    kind: Any, error: ValidationError, template: Any, chosen: Mapping[Path, Any], *, at: Path
) -> list[Fault]:
    """The faults of ``template`` filled with ``chosen``, but for what was unreadable anyway.

    ``at`` is the path of the template in its file, ``kind`` what it should have been.
    """
    details = error.errors(include_url=False)
    sites = [locate(detail["loc"], template, chosen) for detail in details]
    return [
        _led(_fault(kind, detail, site, chosen, at), site, at)
        for detail, site in zip(details, sites, strict=True)
        if BROKEN not in (site.node, detail["input"]) and not isinstance(detail["input"], Same)
    ]


def locate(loc: Path, template: Any, chosen: Mapping[Path, Any]) -> Site:
    """Follows ``loc`` through ``template``, in which each choice takes the option ``chosen``."""
    path, node = _through_choices((), template, chosen)
    shown, kind_named = path, False
    for done, part in enumerate(loc):
        if not kind_named and part == _kind_of(node, path, chosen):
            shown, kind_named = (*shown, part), True
            continue
        if _left_out(node, part) and not kind_named and done + 1 < len(loc):
            kind_named = True
            continue
        if not _holds(node, part):
            return Site(path, shown, node, loc[done:])
        inside, node = _through_choices((*path, part), node[part], chosen)
        path, shown, kind_named = inside, (*shown, *inside[len(path) :]), False
    return Site(path, shown, node, ())


def _left_out(node: Any, part: Any) -> bool:
    """Whether ``part`` can only be a kind that goes without saying."""
    return isinstance(node, dict) and "kind" not in node and part not in node


def _holds(node: Any, part: Any) -> bool:
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and part < len(node)


def _through_choices(path: Path, node: Any, chosen: Mapping[Path, Any]) -> tuple[Path, Any]:
    while isinstance(node, Choice):
        option = chosen.get(path, 0)
        path, node = (*path, option), node.options[option]
    return path, node


def _kind_of(node: Any, path: Path, chosen: Mapping[Path, Any]) -> Any:
    if not isinstance(node, dict) or "kind" not in node:
        return None
    return _through_choices((*path, "kind"), node["kind"], chosen)[1]


def _fault(kind: Any, detail: Any, site: Site, chosen: Mapping[Path, Any], at: Path) -> Fault:
    path, shown = at + site.path, at + site.shown
    match detail["type"]:
        case "missing":
            return Fault(path, shown + site.rest, "is missing")
        case "unexpected_keyword_argument":
            meant = hint(detail["loc"][-1], _fields(kind, detail["loc"][:-1]))
            return Fault(path, shown, f"unknown key{meant}")
        case "unknown_kind":
            return Fault((*path, "kind"), shown, detail["msg"])
        case of_type if of_type in _DUE:
            found = site.node if isinstance(site.node, Range) else detail["input"]
            return Fault(path, shown, f"{_due(detail)}, got {told(found)}")
    message, value = _limit(detail)
    return Fault(path, shown, message + _from_range(site, value, chosen, at))


def _led(fault: Fault, site: Site, at: Path) -> Fault:
    """The fault as one of a ``Same``, if it is one: it does not fit what it leads to."""
    if not isinstance(site.node, Same):
        return fault
    shown = at + site.shown + site.rest
    return Fault(at + site.path, shown, f"{fault.message} (the value of {site.node})")


def _from_range(site: Site, value: Any, chosen: Mapping[Path, Any], at: Path) -> str:
    """Which end of which range ``value`` is, if it came from one at ``site`` or below."""
    for path, domain in _ranges(site.path, site.node):
        drawn = chosen.get(path)
        if drawn is not None and isinstance(value, int | float) and math.isclose(drawn, value):
            where = f" of {dotted(at + path)}" if path != site.path else ""
            end = "low" if drawn == domain.low else "high"
            return f" (the {end} end{where}: {domain})"
    return ""


def _ranges(path: Path, node: Any) -> Iterator[tuple[Path, Range]]:
    return ((p, domain) for p, domain in holes(node, path) if isinstance(domain, Range))


_DUE = {
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), "a whole number is due"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number is due"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is due"),
    **dict.fromkeys(("tuple_type", "list_type"), "a list is due"),
    **dict.fromkeys(("dict_type", "dataclass_type"), "a mapping is due"),
    "string_type": "a word is due (in quotes if it looks like a number)",
    "finite_number": "a finite number is due",
    "none_required": "null is due",
    "literal_error": "{expected} is due",
    "family": "{due} is due",
}
"""What should stand where something of another type does."""

_LIMITS = {
    "greater_than": "must be above {gt}, got {value}",
    "greater_than_equal": "must be at least {ge}, got {value}",
    "less_than": "must be below {lt}, got {value}",
    "less_than_equal": "must be at most {le}, got {value}",
    "multiple_of": "must be a multiple of {multiple_of}, got {value}",
    "string_pattern_mismatch": "must match {pattern}, got {value}",
    "string_too_long": "must have at most {max_length} characters, got {value}",
    "string_too_short": "must have at least {min_length} characters, got {value}",
    "too_long": "must have at most {max_length} entries, got {actual_length}",
    "too_short": "must have at least {min_length} entries, got {actual_length}",
    "value_error": "{error}",
}
"""What a value of the right type must keep to."""


def _due(detail: Any) -> str:
    number = isinstance(detail["input"], int) and not isinstance(detail["input"], bool)
    if detail["type"] == "float_type" and number:  # an integer that no float can hold
        return _DUE["finite_number"]
    return _DUE[detail["type"]].format(**detail.get("ctx", {}))


def _limit(detail: Any) -> tuple[str, Any]:
    """The message, and the value that it is about."""
    context, value = detail.get("ctx", {}), detail["input"]
    if detail["type"] not in _LIMITS:
        return detail["msg"], context.get("value", value)
    bounds = {name: _plain(bound) for name, bound in context.items()}
    return _LIMITS[detail["type"]].format(**bounds, value=told(value)), value


def _plain(bound: Any) -> Any:
    """A bound as a file would have it: 0, not 0.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _fields(kind: Any, loc: Path) -> list[str]:
    """The fields of the spec that ``loc`` leads to from ``kind``; none if it is no spec."""
    for part in loc:
        kind = _inside(_bare(kind), part)
    kind = _bare(kind)
    if not dataclasses.is_dataclass(kind):
        return []
    return [f.name for f in dataclasses.fields(kind) if f.name != "kind"]


def _bare(kind: Any) -> Any:
    """``kind`` without metadata and without None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return _bare(next(arg for arg in get_args(kind) if arg is not type(None)))
    return kind


def _inside(kind: Any, part: Any) -> Any:
    if get_origin(kind) in {list, tuple}:
        return get_args(kind)[0]
    if part in getattr(kind, "kinds", {}):
        return kind.kinds[part]
    if dataclasses.is_dataclass(kind):
        return get_type_hints(kind, include_extras=True).get(part)
    return None
