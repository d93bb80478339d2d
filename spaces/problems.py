"""Problems: what a file says that cannot be done, where it says so, and what was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from spaces.domains import Choice, Range
from spaces.same import Same

Path: TypeAlias = "tuple[Any, ...]"


class SpecError(ValueError):
    """A file or an argument says something that cannot be done: the user's to mend.

    ``problems`` has one line for each thing wrong, so that a file is mended in one pass.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A line of a file, or a place with a name of its own, such as ``--set a.b=v``."""

    line: int
    name: str


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """``study.yaml:14: averagers.0.ema.evry: unknown key (did you mean 'every'?)``."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place.name, self.path, self.message) if part)


def refuse(problems: Iterable[Problem]) -> None:
    """Raises the problems, if there are any, in the order of their lines and each once.

    Raises:
        SpecError: if there are any.
    """
    told = list(dict.fromkeys(map(str, sorted(problems))))
    if told:
        raise SpecError(told)


def nearest(path: Path, places: Mapping[Path, Place]) -> Place:
    """The place of ``path``, or of what holds it if it is not written."""
    while path and path not in places:
        path = path[:-1]
    return places[path]


def dotted(path: Iterable[Any]) -> str:
    return ".".join(map(str, path))


def hint(word: Any, choices: Iterable[str]) -> str:
    """What was perhaps meant by ``word``, in brackets; nothing if there are no choices."""
    choices = sorted(choices)
    close = get_close_matches(str(word), choices, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (one of {', '.join(choices)})" if choices else ""


def told(value: Any) -> str:
    """``value`` as a file would have it, cut to a length that fits a line."""
    match value:
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case dict():
            text = "a mapping"
        case Choice():
            text = "!choice"
        case Same():
            text = str(value)
        case Range():
            text = str(value)
        case list() | tuple():
            text = "a list" if value else "an empty list"
        case int() if abs(value) >= 10**40:
            text = "a number of more than 40 digits"
        case _:
            text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
