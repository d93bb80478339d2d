"""Knobs as people read them: short labels, values in few digits, places on an axis."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spaces.domains import Choice, Range
from spaces.same import Same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HOMES = frozenset({"recipe", "model", "optimizer", "strategy", "averager"})
"""Words that say where a field stands, not what it is."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One quantity of a space. ``names`` are the knobs that set it, at most one of them in play.

    The same field of several options of a choice (``averager.0.every``, ``averager.1.every``) is
    one quantity if its domain is the same, and has one label in any case.
    """

    label: str
    names: tuple[str, ...]
    domain: Range | Choice

    def text(self, knobs: Mapping[str, Any]) -> str | None:
        """The value in ``knobs`` in three significant digits; None when not in play."""
        found = [knobs[name] for name in self.names if name in knobs]
        return _text(found[0], self.domain) if found else None

    def position(self, knobs: Mapping[str, Any]) -> float:
        """Where the value in ``knobs`` stands from 0 to 1 on the knob's scale; NaN if not in play."""
        found = [knobs[name] for name in self.names if name in knobs]
        return self.place(found[0]) if found else math.nan

    def place(self, value: float) -> float:
        """From 0 (low end) to 1 (high end) on the scale of the knob."""
        low, high = _ends(self.domain)
        scaled = self._scaled
        return (scaled(value) - scaled(low)) / (scaled(high) - scaled(low))

    def ticks(self) -> list[tuple[float, str]]:
        """Places on the axis from 0 to 1 and what to write there."""
        if isinstance(self.domain, Choice):
            options = range(len(self.domain.options))
            return [(self.place(i), option_label(self.domain, i)) for i in options]
        values = [self.domain.at(u) for u in (0.0, 0.25, 0.5, 0.75, 1.0)]
        return [(self.place(v), _text(v, self.domain)) for v in dict.fromkeys(values)]

    def _scaled(self, value: float) -> float:
        match getattr(self.domain, "scale", "linear"):
            case "log":
                return math.log(value)
            case "near_one":
                return -math.log1p(-value)
        return float(value)


def knobs_of(domains: Mapping[str, Range | Choice]) -> list[Knob]:
    """The quantities of a space, in its order, each with a short label."""
    groups: dict[tuple[tuple[str, ...], Range | str], list[str]] = {}
    for name, domain in domains.items():
        told = domain if isinstance(domain, Range) else name  # options differ from choice to choice
        groups.setdefault((_field(name, domains), told), []).append(name)
    labels = _labels([field for field, _ in groups])
    return [
        Knob(labels[field], tuple(names), domains[names[0]]) for (field, _), names in groups.items()
    ]


def settings(knobs: Sequence[Knob], values: Mapping[str, Any]) -> dict[str, str]:
    """What a candidate set: label to text, of the knobs in play."""
    texts = ((knob.label, knob.text(values)) for knob in knobs)
    return {label: text for label, text in texts if text is not None}


def sentence(texts: Mapping[str, str]) -> str:
    """Settings in one line."""
    return " · ".join(f"{label} {text}" for label, text in texts.items())


def option_label(choice: Choice, index: int) -> str:
    """What tells option ``index`` from the others: its kind, with the words inside it if it must."""
    for deep in (_own_kind, _all_words):
        labels = [deep(option) for option in choice.options]
        if labels.count(labels[index]) == 1:
            return labels[index]
    return f"{labels[index]} {index}"


def _own_kind(option: Any) -> str:
    match option:
        case {"kind": str(kind)}:
            return kind
        case Range():
            return f"{option.low:g} to {option.high:g}"
        case float():
            return f"{option:.3g}"
        case Same():
            return ".".join(option.path[1:])
        case dict() | list() | tuple() | Choice():
            return "option"
    return str(option)


def _all_words(option: Any) -> str:
    inside = option.items() if isinstance(option, dict) else ()
    words = [_all_words(v) for k, v in inside if k != "kind" and isinstance(v, dict | str)]
    return " ".join([_own_kind(option), *words])


def _ends(domain: Range | Choice) -> tuple[float, float]:
    match domain:
        case Range(low, high):
            return low, high
        case Choice(options):
            return 0, len(options) - 1


def _text(value: Any, domain: Range | Choice) -> str:
    if isinstance(domain, Choice):
        return option_label(domain, value)
    if domain.whole:
        return str(value)
    if domain.scale == "near_one":
        return f"{value:.{max(3, 1 - math.floor(math.log10(1 - value)))}f}"
    return f"{value:.3g}"


def _field(name: str, domains: Mapping[str, Range | Choice]) -> tuple[str, ...]:
    """The name without the numbers of options: equal for knobs of which one at most is in play."""
    parts = name.split(".")
    starts = (".".join(parts[:i]) for i in range(len(parts)))
    return tuple(
        part
        for part, start in zip(parts, starts, strict=True)
        if not isinstance(domains.get(start), Choice)
    )


def _labels(fields: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The words below a spec's home, more where two would be alike, numbers only if they must."""
    bare = {field: tuple(w for w in field if not w.isdigit()) for field in fields}
    twins = Counter(bare.values())
    told = {field: field if twins[words] > 1 else words for field, words in bare.items()}
    return {field: _ending(words, told.values()) for field, words in told.items()}


def _ending(words: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> str:
    below = next((n for n, w in enumerate(reversed(words)) if w in HOMES), len(words))
    for n in range(max(1, below), len(words)):
        if sum(other[-n:] == words[-n:] for other in others) == 1:
            return ".".join(words[-n:])
    return ".".join(words)
