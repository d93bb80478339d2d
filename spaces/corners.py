"""Corners: a template is legal if it is with each option and each end of each range filled in."""

from __future__ import annotations

from typing import Any

from spaces.faults import Fault
from spaces.problems import Path
from spaces.space import Space
from spaces.specs import validate


def corner_faults(kind: type[Any], template: Any, at: Path) -> list[Fault]:
    """All that keeps a corner of ``template`` from being a ``kind``, each fault once.

    One knob at a time is moved from its first value, so that the corners are as many as the knobs
    have ends and options. ``at`` is the path of the template in its file.
    """
    faults: dict[Fault, None] = {}
    for chosen, filled in Space(template).corners():
        found = validate(kind, filled, template=template, chosen=chosen, at=at)
        if isinstance(found, list):
            faults |= dict.fromkeys(found)
    return list(faults)
