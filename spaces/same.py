"""Same: in one place of a template, the value that is drawn or written in another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spaces.domains import Choice


class Same(str):
    """``!same recipe.strategy.teacher``: whatever a draw has at that path, from the root on.

    No domain: nothing is drawn for it. The path leads through what is filled, in which a choice is
    the option taken; entries of lists go by number. It is text, so that a draw that has no such
    value says so wherever it is written down.
    """

    __slots__ = ()

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.removeprefix("!same ").split("."))


@dataclass(frozen=True, slots=True)
class Lead:
    """Where in a template a path may lead: the ``node`` ``at`` its own path.

    ``options`` are those taken on the way, by the paths of their choices. The node is a ``Same`` if
    the path leads in a circle.
    """

    at: tuple[Any, ...]
    options: Mapping[tuple[Any, ...], int]
    node: Any


def settle(root: Any) -> Any:
    """``root``, filled, with its value in the place of each ``Same``; one that has none stays."""
    return _settled(root, root, ())


def lacking(filled: Any) -> list[Same]:
    """What in ``filled``, once settled, has no value."""
    if isinstance(filled, dict | list):
        inside = filled.values() if isinstance(filled, dict) else filled
        return [same for node in inside for same in lacking(node)]
    return [filled] if isinstance(filled, Same) else []


def taken(path: tuple[Any, ...]) -> dict[tuple[Any, ...], int]:
    """The options of choices that ``path``, of a template, leads through (numbers in lists count)."""
    return {path[:i]: path[i] for i in range(len(path)) if isinstance(path[i], int)}


def leads(root: Any, at: tuple[Any, ...], same: Same) -> Iterator[Lead]:
    """Everywhere in ``root``, a template, that ``same`` may lead to from its place ``at``."""
    yield from _follow(root, Lead((), taken(at), root), same.path, (same,))


def _settled(node: Any, root: Any, trail: tuple[Same, ...]) -> Any:
    match node:
        case Same():
            return node if node in trail else _value(node, root, (*trail, node))
        case dict():
            return {key: _settled(inside, root, trail) for key, inside in node.items()}
        case list():
            return [_settled(inside, root, trail) for inside in node]
    return node


def _value(same: Same, root: Any, trail: tuple[Same, ...]) -> Any:
    """What ``same`` leads to; itself if there is nothing there, or nothing but itself."""
    node = root
    for part in same.path:
        if isinstance(node, Same):
            node = _settled(node, root, trail)
        step = step_into(node, part)
        if step is None:
            return same
        node = node[step]
    return _settled(node, root, trail)


def step_into(node: Any, part: str) -> str | int | None:
    """The key or number that ``part`` of a path is in ``node``; None if it holds no such."""
    if isinstance(node, dict):
        return part if part in node else None
    if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
        return int(part)
    return None


def _follow(
    root: Any, lead: Lead, rest: tuple[str, ...], trail: tuple[Same, ...]
) -> Iterator[Lead]:
    """Where ``rest`` leads on from ``lead``, through what was followed already."""
    node, at = lead.node, lead.at
    if isinstance(node, Same):
        if node in trail:
            yield lead
            return
        for found in _follow(root, Lead((), lead.options, root), node.path, (*trail, node)):
            circle = isinstance(found.node, Same)
            yield from [found] if circle else _follow(root, found, rest, (*trail, node))
    elif not rest:
        yield lead
    elif isinstance(node, Choice):
        for number, option in enumerate(node.options):
            if lead.options.get(at, number) == number:
                options = {**lead.options, at: number}
                yield from _follow(root, Lead((*at, number), options, option), rest, trail)
    elif (step := step_into(node, rest[0])) is not None:
        yield from _follow(root, Lead((*at, step), lead.options, node[step]), rest[1:], trail)
