"""Anchors: candidates that a study asks for first, before its sampler draws any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from search.literature import LITERATURE
from search.templates import space_of
from spaces.domains import Choice, Range
from spaces.faults import Fault
from spaces.problems import dotted, hint, told
from spaces.same import taken
from spaces.schedules import Schedule
from spaces.space import Space, holes, knob_name
from trainables.averagers import Averager
from trainables.strategies import Strategy

if TYPE_CHECKING:
    from search.studyfile import StudyFile
    from spaces.problems import Path
    from spaces.space import Domain

ALL = "literature"
"""Stands for every cited anchor that the space can draw."""

ANCHOR = "anchor"
"""What the ledger calls the name of the anchor that a candidate is, among its ``attrs``."""

FAMILIES = (Averager, Schedule, Strategy)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Values of knobs to begin with, those included by which they are in play."""

    name: str
    knobs: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchors:
    """The ``asked``, in order; and why each that was ``left_out`` is none of the space, by name."""

    asked: tuple[Anchor, ...]
    left_out: Mapping[str, str]

    def __str__(self) -> str:
        names = ", ".join(anchor.name for anchor in self.asked) or "none"
        others = "; ".join(f"{name} ({why})" for name, why in self.left_out.items())
        return f"asked for first: {names}" + (f"; left out: {others}" if others else "")


class _Unfit(NamedTuple):
    """Why something is not of a space. The ``depth`` tells how much of it is."""

    depth: int
    why: str


def anchors_of(file: StudyFile) -> Anchors:
    """What the study of ``file`` asks for first. What is said in the file was checked."""
    asked, left_out = [], {}
    for number, said in enumerate(file.anchors):
        for name, found in _found(file.space, number, said):
            if isinstance(found, Anchor):
                asked.append(found)
            else:
                left_out[name] = found.why
    return Anchors(asked=tuple(asked), left_out=left_out)


def anchor_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What of the ``anchors`` in a study file is not of its space."""
    anchors, space = data.get("anchors"), space_of(data)
    if not isinstance(anchors, list) or space is None:
        return []
    faults = []
    for number, said in enumerate(anchors):
        if said == ALL or not isinstance(said, str | dict):
            continue  # of the latter another check tells
        for _, found in _found(space, number, said):
            if isinstance(found, _Unfit):
                faults.append(Fault(("anchors", number), ("anchors", number), found.why))
    return faults


def _found(space: Space, number: int, said: Any) -> Iterator[tuple[str, Anchor | _Unfit]]:
    """What entry ``number`` of a file's anchors stands for, by name."""
    if isinstance(said, Mapping):
        name = f"anchors.{number}"
        yield name, _named(space, name, said)
        return
    known = {cited.name: cited for cited in LITERATURE}
    if said != ALL and said not in known:
        yield (
            said,
            _Unfit(0, f"no anchor has this name{hint(said, [*known, ALL])}, got {told(said)}"),
        )
    for cited in known.values():
        if said in {ALL, cited.name}:
            knobs: dict[str, Any] = {}
            unfit = _fit(space.template, cited.says, (), knobs)
            yield cited.name, unfit or _named(space, cited.name, knobs)


def _named(space: Space, name: str, said: Mapping[str, Any]) -> Anchor | _Unfit:
    """The anchor with the values ``said`` of knobs, and the options in which these are."""
    paths = {knob_name(path): path for path, _ in holes(space.template)}
    knobs = space.knobs()
    given: dict[str, Any] = {}
    for knob, value in said.items():
        if knob not in knobs:
            return _Unfit(0, f"there is no such knob{hint(knob, knobs)}, got {told(knob)}")
        if not knobs[knob].holds(value):
            return _Unfit(0, _outside(knob, knobs[knob], value))
        given[knob] = _as_drawn(knobs[knob], value)
    for knob in said:
        for at, option in taken(paths[knob]).items():
            if (by := knob_name(at)) in knobs and given.setdefault(by, option) != option:
                played = f"it is in play with {by}: {option} only, got {given[by]}"
                return _Unfit(0, f"{knob}: {played}")
    return Anchor(name, given)


def _as_drawn(domain: Domain, value: Any) -> Any:
    return float(value) if isinstance(domain, Range) and not domain.whole else value


def _outside(knob: str, domain: Domain, value: Any) -> str:
    inside = (
        f"an option's number up to {len(domain.options) - 1}"
        if isinstance(domain, Choice)
        else domain
    )
    return f"{knob}: {told(value)} is outside of {inside}"


def _fit(node: Any, says: Any, path: Path, knobs: dict[str, Any]) -> _Unfit | None:
    """Notes the ``knobs`` by which the template ``node`` becomes what a source ``says``; or why it cannot."""
    match node, says:
        case Choice(), _:
            return _fit_option(node, says, path, knobs)
        case dict(), dict():
            return _fit_keys(node, says, path, knobs)
        case Range(), int() | float() if node.holds(says):
            knobs[knob_name(path)] = says
            return None
        case Range(), int() | float():
            return _Unfit(len(path), _outside(knob_name(path), node, says))
        case _ if node == says:
            return None
    what = f"kind {says['kind']}" if isinstance(says, dict) else told(says)
    return _Unfit(len(path), f"{dotted(path)}: {what} is not searched there")


def _fit_option(node: Choice, says: Any, path: Path, knobs: dict[str, Any]) -> _Unfit | None:
    """The first option that fits; else why that does not which comes nearest."""
    nearest = _Unfit(-1, "")
    for number, option in enumerate(node.options):
        inside: dict[str, Any] = {}
        unfit = _fit(option, says, (*path, number), inside)
        if unfit is None:
            knobs |= inside
            if len(node.options) > 1:
                knobs[knob_name(path)] = number
            return None
        nearest = max(nearest, unfit, key=lambda found: found.depth)
    return nearest


def _fit_keys(
    node: dict[str, Any], says: dict[str, Any], path: Path, knobs: dict[str, Any]
) -> _Unfit | None:
    """Whether every key that is said fits; one that the file leaves out has its kind's default."""
    if node.get("kind") != says.get("kind"):
        return _Unfit(len(path), f"{dotted(path)}: no kind {says.get('kind')} is searched there")
    for key, inner in says.items():
        if key not in node and _default(node, key) == inner:
            continue
        if unfit := _fit(node.get(key), inner, (*path, key), knobs):
            return unfit
    return None


def _default(node: dict[str, Any], key: str) -> Any:
    for family in FAMILIES:
        for field in fields(family.kinds[node["kind"]]) if node.get("kind") in family.kinds else ():
            if field.name == key:
                return field.default
    return MISSING
