"""Replays: whether a table that was recorded of one study tells of another."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from spaces.domains import Choice, Range
from spaces.problems import SpecError, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.studyfile import StudyFile
    from spaces.problems import Path


def refuse_other(file: StudyFile, recorded: StudyFile, source: str) -> None:
    """Raises SpecError unless every candidate of ``file`` could be one of the ``recorded`` study.

    That is if the scenario is the same, and recipe and averagers are but for ranges that are narrower.
    """
    found = [*_differences(file, recorded)]
    if found:
        raise SpecError([f"{file.source}: {where}; {source} is of {what}" for where, what in found])


def _differences(file: StudyFile, recorded: StudyFile) -> Iterator[tuple[str, str]]:
    if file.scenario != recorded.scenario:
        yield f"scenario: {file.scenario}", str(recorded.scenario)
    yield from _within(file.space.template, recorded.space.template, ())


def _within(node: Any, recorded: Any, path: Path) -> Iterator[tuple[str, str]]:
    """Where ``node`` of a template holds what ``recorded`` does not, and what that is."""
    if isinstance(node, Range) and isinstance(recorded, Range) and _inside(node, recorded):
        return
    if isinstance(node, Choice) and isinstance(recorded, Choice):
        node, recorded = node.options, recorded.options
    match node, recorded:
        case dict(), dict():
            keys = dict.fromkeys((*node, *recorded))
            parts = [(key, node.get(key), recorded.get(key)) for key in keys]
        case ((list() | tuple()), (list() | tuple())):
            parts = [(i, *pair) for i, pair in enumerate(zip_longest(node, recorded))]
        case _:
            if node != recorded:
                yield f"{dotted(path)}: {_told(node)}", _told(recorded)
            return
    for key, one, other in parts:
        yield from _within(one, other, (*path, key))


def _inside(node: Range, recorded: Range) -> bool:
    same = (node.scale, node.whole) == (recorded.scale, recorded.whole)
    return same and recorded.low <= node.low and node.high <= recorded.high


def _told(node: Any) -> str:
    return "nothing" if node is None else str(node)
