"""Misled: what is wrong with where a ``Same`` leads, whatever is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spaces.domains import Choice
from spaces.faults import Fault
from spaces.problems import Path, dotted, hint
from spaces.same import Lead, Same, leads
from spaces.space import sames


def same_faults(template: Any, among: tuple[str, ...]) -> list[Fault]:
    """Why what stands at the paths of ``template`` can never be had, each fault once.

    ``among``: the keys of its root that a path may begin with. A value that only some draws lack
    is no fault here: such a draw is refused.
    """
    told = {at: _told(template, at, same, among) for at, same in sames(template)}
    return [Fault(at, at, message) for at, message in told.items() if message]


def _told(template: Any, at: Path, same: Same, among: tuple[str, ...]) -> str:
    if same.path[0] not in among:
        return f"{same}: a path begins with {' or '.join(among)}, from the root of the file"
    found = list(leads(template, at, same))
    if any(_circles(template, lead, (same,)) for lead in found):
        return f"{same}: leads back to itself"
    if found:
        return ""
    if list(leads(template, (), same)):
        return f"{same}: is never drawn together with this: it is of another option"
    return f"{same}: {_nothing(template, same)}"


def _circles(template: Any, lead: Lead, trail: tuple[Same, ...]) -> bool:
    """Whether what is at ``lead`` is, or holds, what leads to something of the ``trail``."""
    if isinstance(lead.node, Same):
        return True
    return any(
        same in trail
        or any(_circles(template, further, (*trail, same)) for further in leads(template, at, same))
        for at, same in sames(lead.node, lead.at)
    )


def _nothing(template: Any, same: Same) -> str:
    """How far the path leads, and what there is to go on with."""
    path = same.path
    known = max(n for n in range(len(path)) if list(_reached(template, path[:n])))
    nodes = list(_reached(template, path[:known]))
    inside = {str(key) for node in nodes for key in _keys(node)}
    where, part = dotted(path[:known]), path[known]
    if part in inside:
        return f"{dotted(path[: known + 1])} is itself a !same that leads nowhere"
    if part.isdecimal() and any(isinstance(node, Choice) for node in nodes):
        return f"{where} is one of several options, which have no numbers here: leave {part!r} out"
    if not inside:
        return f"{where} holds no {part!r}"
    meant = hint(part, inside)
    return f"{where} says no {part!r}{meant}; what it leaves to a default must be written out"


def _reached(template: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield template
        return
    yield from (lead.node for lead in leads(template, (), Same(f"!same {dotted(path)}")))


def _keys(node: Any) -> Iterator[Any]:
    """What a path may go on with from ``node``: through a choice, into any option of it."""
    match node:
        case Choice(options):
            for option in options:
                yield from _keys(option)
        case dict():
            yield from node
        case list():
            yield from range(len(node))
