"""Fillers: a template made ready to be filled again and again, looking only where its holes are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from spaces.domains import Choice, Range
from spaces.problems import Path

Pick: TypeAlias = "Callable[[Path, Range | Choice], Any]"


Parts: TypeAlias = Mapping[str, Any]
NONE: Parts = MappingProxyType({})


class Filler(Protocol):
    """A part of a template."""

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        """The part with a value of ``pick`` in each hole that is in play.

        Of a mapping the entries that are ``standing`` are filled already: nothing is picked there.
        """
        ...


def filler(node: Any, path: Path) -> Filler:
    """Of the part ``node`` of a template, which stands at ``path``."""
    match node:
        case Range():
            return _Hole(path, node)
        case Choice():
            inside = tuple(filler(option, (*path, i)) for i, option in enumerate(node.options))
            return _Options(path, node, inside) if len(inside) > 1 else inside[0]
        case dict():
            of_keys = _open(node.items(), path)
            return _Mapping(node, of_keys) if of_keys else _Fixed(node)
        case list():
            of_places = _open(enumerate(node), path)
            return _Sequence(node, of_places) if of_places else _Fixed(node)
    return _Fixed(node)


def _open(parts: Iterable[tuple[Any, Any]], path: Path) -> tuple[tuple[Any, Filler], ...]:
    """Of parts by where they are, the fillers of those that do not stay as they are."""
    found = ((at, part, filler(part, (*path, at))) for at, part in parts)
    return tuple(
        (at, made)
        for at, part, made in found
        if not (isinstance(made, _Fixed) and made.node is part)
    )


@dataclass(frozen=True, slots=True)
class _Fixed:
    node: Any

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        del pick, standing
        return self.node


@dataclass(frozen=True, slots=True)
class _Hole:
    path: Path
    domain: Range

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        del standing
        return pick(self.path, self.domain)


@dataclass(frozen=True, slots=True)
class _Options:
    path: Path
    domain: Choice
    options: tuple[Filler, ...]

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        del standing
        return self.options[pick(self.path, self.domain)].fill(pick)


@dataclass(frozen=True, slots=True)
class _Mapping:
    node: Mapping[str, Any]
    parts: tuple[tuple[str, Filler], ...]

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        found = {**self.node, **standing}
        for key, part in self.parts:
            if key not in standing:
                found[key] = part.fill(pick)
        return found


@dataclass(frozen=True, slots=True)
class _Sequence:
    node: Sequence[Any]
    parts: tuple[tuple[int, Filler], ...]

    def fill(self, pick: Pick, standing: Parts = NONE) -> Any:
        del standing
        found = list(self.node)
        for place, part in self.parts:
            found[place] = part.fill(pick)
        return found
