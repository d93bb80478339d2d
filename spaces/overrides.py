"""Overrides: ``a.b=v`` from the command line, put over what a file says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spaces.domains import Broken, Choice
from spaces.problems import Path, Place, Problem, dotted, told
from spaces.yamls import Document, read


def override(document: Document, text: str) -> Document:
    """``document`` with the value of ``text`` at its path; list entries and options go by number.

    The value is YAML, tags included. Keys that are not there are made: whether they may be is for
    the type check to say, which then names ``--set``.
    """
    place = Place(1, f"--set {text}")
    keys, equals, value = text.partition("=")
    parts = keys.split(".")
    if not (equals and value.strip() and all(parts)):
        return _refused(document, place, "a path and a value are due, such as a.b=v")
    try:
        path = _path(document.data, parts)
    except ValueError as error:
        return _refused(document, place, str(error))
    found = read(value, lambda _: place, path)
    kept = {p: at for p, at in document.places.items() if p[: len(path)] != path}
    made = {path[:n]: place for n in range(len(path)) if path[:n] not in kept}
    return Document(
        _put(document.data, path, found.data),
        kept | made | found.places,
        document.problems + found.problems,
    )


def _refused(document: Document, place: Place, message: str) -> Document:
    return replace(document, problems=[*document.problems, Problem(place, "", message)])


def _path(node: Any, parts: list[str]) -> Path:
    """``parts`` as a path into ``node``, with numbers where it has a list or a choice.

    Raises:
        ValueError: if it leads through something that holds nothing, or past the end of a list.
    """
    path: Path = ()
    for part in parts:
        node, step = _enter(node, part, path)
        path = (*path, step)
    return path


def _enter(node: Any, part: str, path: Path) -> tuple[Any, str | int]:
    match node:
        case None | Broken():
            return None, part
        case dict():
            return node.get(part), part
        case list() | Choice():
            entries = node.options if isinstance(node, Choice) else node
            if not part.isdecimal() or int(part) >= len(entries):
                numbers = f"its entries are numbered 0 to {len(entries) - 1}"
                raise ValueError(f"{dotted(path)} has no entry {part!r}: {numbers}")
            return entries[int(part)], int(part)
    raise ValueError(f"{dotted(path)} is {told(node)}, which holds no {part!r}")


def _put(node: Any, path: Path, value: Any) -> Any:
    """A copy of ``node`` with ``value`` at ``path``."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    match node:
        case list():
            return [_put(v, rest, value) if i == first else v for i, v in enumerate(node)]
        case Choice():
            return replace(node, options=tuple(_put(list(node.options), path, value)))
        case dict():
            return node | {first: _put(node.get(first), rest, value)}
    return {first: _put(None, rest, value)}
