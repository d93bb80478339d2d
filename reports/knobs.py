"""Knobs as people read them: short labels, values in few digits, places on an axis."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spaces.domains import Choice, Range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Knob:
    """One quantity of a space. ``names`` are the knobs that set it, at most one of them in play.

    The same field of two options of a choice (``averager.0.every``, ``averager.1.every``) is one
    quantity if both measure it on the same scale.
    """

    label: str
    names: tuple[str, ...]
    domains: tuple[Range | Choice, ...]

    def text(self, knobs: Mapping[str, Any]) -> str | None:
        """The value in ``knobs`` in three significant digits; None when not in play."""
        for name, domain in zip(self.names, self.domains, strict=True):
            if name in knobs:
                return _text(knobs[name], domain)
        return None

    def position(self, knobs: Mapping[str, Any]) -> float:
        """Where the value in ``knobs`` stands from 0 to 1 on the knob's scale; NaN if not in play."""
        for name in self.names:
            if name in knobs:
                return self.place(knobs[name])
        return math.nan

    def place(self, value: float) -> float:
        """From 0 (low end) to 1 (high end) on the scale of the knob."""
        low, high = self.ends()
        return (self._scaled(value) - self._scaled(low)) / (self._scaled(high) - self._scaled(low))

    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value, over all the domains."""
        first = self.domains[0]
        if isinstance(first, Choice):
            return 0, max(1, len(first.options) - 1)
        ranges = [d for d in self.domains if isinstance(d, Range)]
        return min(d.low for d in ranges), max(d.high for d in ranges)

    def ticks(self) -> list[tuple[float, str]]:
        """Places on the axis from 0 to 1 and what to write there."""
        first = self.domains[0]
        if isinstance(first, Choice):
            return [(self.place(i), option_label(first, i)) for i in range(len(first.options))]
        low, high = self.ends()
        whole = Range(low, high, first.scale, first.whole)
        values = [whole.at(u) for u in (0.0, 0.25, 0.5, 0.75, 1.0)]
        return [(self.place(v), _text(v, whole)) for v in dict.fromkeys(values)]

    def _scaled(self, value: float) -> float:
        match getattr(self.domains[0], "scale", "linear"):
            case "log":
                return math.log(value)
            case "near_one":
                return -math.log1p(-value)
        return float(value)


def knobs_of(domains: Mapping[str, Range | Choice]) -> list[Knob]:
    """The quantities of a space, in its order, each with the shortest label that is its own."""
    groups: dict[Any, list[str]] = {}
    for name, domain in domains.items():
        groups.setdefault(_quantity(name, domain, domains), []).append(name)
    names = list(groups.values())
    labels = _labels([_words(group) for group in names])
    return [
        Knob(label, tuple(group), tuple(domains[n] for n in group))
        for label, group in zip(labels, names, strict=True)
    ]


def settings(knobs: Sequence[Knob], values: Mapping[str, Any]) -> dict[str, str]:
    """What a candidate set: label to text, of the knobs in play."""
    texts = {knob.label: knob.text(values) for knob in knobs}
    return {label: text for label, text in texts.items() if text is not None}


def sentence(texts: Mapping[str, str]) -> str:
    """Settings in one line."""
    return " · ".join(f"{label} {text}" for label, text in texts.items())


def option_label(choice: Choice, index: int) -> str:
    """What tells option ``index`` from the others: its kind, with the kinds inside it if it must."""
    for deep in (_own_kind, _all_kinds):
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
        case dict() | list() | tuple() | Choice():
            return "option"
    return str(option)


def _all_kinds(option: Any) -> str:
    inside = option.values() if isinstance(option, dict) else ()
    return " ".join([_own_kind(option), *(_all_kinds(v) for v in inside if isinstance(v, dict))])


def _text(value: Any, domain: Range | Choice) -> str:
    if isinstance(domain, Choice):
        return option_label(domain, value)
    if domain.whole:
        return str(value)
    if domain.scale == "near_one":
        return f"{value:.{max(3, 1 - math.floor(math.log10(1 - value)))}f}"
    return f"{value:.3g}"


def _quantity(name: str, domain: Range | Choice, domains: Mapping[str, Range | Choice]) -> Any:
    """Equal for knobs that are the same quantity: what is left when options are not told apart."""
    if isinstance(domain, Choice):
        return name
    parts = name.split(".")
    kept = [
        "*" if isinstance(domains.get(".".join(parts[:i])), Choice) else part
        for i, part in enumerate(parts)
    ]
    return (*kept, domain.scale, domain.whole)


def _words(names: Sequence[str]) -> list[str]:
    """The name without the numbers of options where one quantity has several."""
    split = [name.split(".") for name in names]
    common = [parts[0] if len(set(parts)) == 1 else "" for parts in zip(*split, strict=True)]
    return [word for word in common if word]


def _labels(words: Sequence[list[str]]) -> list[str]:
    """The shortest ends that differ, numbers left out unless only they tell two apart."""
    bare = [[w for w in ws if not w.isdigit()] for ws in words]
    twins = Counter(map(tuple, bare))
    told = [ws if twins[tuple(b)] > 1 else b for ws, b in zip(words, bare, strict=True)]
    return [
        next(
            ".".join(ws[-n:])
            for n in range(1, len(ws) + 1)
            if n == len(ws) or sum(other[-n:] == ws[-n:] for other in told) == 1
        )
        for ws in told
    ]
