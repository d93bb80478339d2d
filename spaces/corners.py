"""Corners: a template is legal if it is with each option and each end of each range filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spaces.faults import Fault
from spaces.space import Point, Space
from spaces.specs import validate


def corners_of(space: Space, part: str) -> Iterator[tuple[Point, Any]]:
    """The corners of what stands under the key ``part`` of a space, each once.

    Paths are from there on. Other parts only matter as far as a ``Same`` leads to them.
    """
    met: set[str] = set()
    for chosen, filled in space.corners():
        own = {path[1:]: drawn for path, drawn in chosen.items() if path[0] == part}
        if (told := repr((own, filled[part]))) not in met:
            met.add(told)
            yield own, filled[part]


def corner_faults(kind: type[Any], space: Space, part: str) -> list[Fault]:
    """All that keeps a corner of a ``part`` from being a ``kind``, each fault once.

    One knob at a time is moved from its first value, so that the corners are as many as the knobs
    have ends and options.
    """
    template, faults = space.template[part], dict[Fault, None]()
    for chosen, filled in corners_of(space, part):
        found = validate(kind, filled, template=template, chosen=chosen, at=(part,))
        if isinstance(found, list):
            faults |= dict.fromkeys(found)
    return list(faults)
