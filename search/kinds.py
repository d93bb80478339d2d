"""Kinds: what may be written in a study file, told by the specs themselves."""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from search.settings import Settings
from spaces.fields import example, fields_of, holding
from spaces.problems import SpecError, hint
from spaces.writing import block, spelled
from trainables.metrics import METRICS, PREFIX
from trainables.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spaces.families import Family
    from trainables.metrics import Metric

WIDTH = 100
LONG = 40
"""Characters of a default that are shown beside its field."""

MOST_PLACES = 6
"""Of the places of a family, so many are told."""

FAMILIES = {
    "scenario": "trainables.scenarios",
    "model": "trainables.models",
    "optimizer": "trainables.optimizers",
    "strategy": "trainables.strategies",
    "term": "trainables.terms",
    "importance": "trainables.importances",
    "memory": "trainables.memories",
    "pull": "trainables.pulls",
    "merge": "trainables.merges",
    "branch": "trainables.branches",
    "averager": "trainables.averagers",
    "gate": "trainables.gates",
    "classifier": "trainables.classifiers",
    "schedule": "spaces.schedules",
    "sampler": "search.samplers",
    "pruned": "search.pruned",
    "rungs": "search.rungs",
    "worth": "search.worths",
    "claim": "search.claims",
}
"""The package of each family, in the order of a study file."""

METRIC = "metric"
NAMES = (*FAMILIES, METRIC)


def family(name: str) -> type[Family]:
    """The family called ``name``, imported with all of its kinds."""
    found: type[Family] = getattr(importlib.import_module(FAMILIES[name]), name.capitalize())
    return found


def text(words: list[str]) -> str:
    """What is told of a family, of one of its kinds, or of a kind whose family is left out; of all.

    Raises:
        SpecError: if there is nothing of that name.
    """
    match words:
        case []:
            return "\n\n".join(map(_listing, NAMES))
        case [name] if name in NAMES:
            return _listing(name)
        case [kind]:
            return _wherever(kind)
        case [name, kind] if name in NAMES:
            if kind not in _kinds(name):
                raise SpecError([f"{kind}: no such {name}{hint(kind, _kinds(name))}"])
            return _page(name, kind)
        case [name, _]:
            raise SpecError([f"{name}: no such family{hint(name, NAMES)}"])
    raise SpecError([f"{' '.join(words)}: a family and a kind are due, not {len(words)} words"])


def _wherever(kind: str) -> str:
    """The pages of every kind of that name, in whichever family."""
    pages = [_page(name, kind) for name in NAMES if kind in _kinds(name)]
    if pages:
        return "\n\n".join(pages)
    known = {*NAMES, *(k for name in NAMES for k in _kinds(name))}
    close = hint(kind, known)
    meant = close if "did you mean" in close else hint("", NAMES)
    raise SpecError([f"{kind}: neither a family nor a kind{meant}"])


def _kinds(name: str) -> dict[str, type[Any]] | dict[str, Metric]:
    return METRICS if name == METRIC else dict(sorted(family(name).kinds.items()))


# --- lists ------------------------------------------------------------------------------------


def _listing(name: str) -> str:
    """The family in a line, where it is written, and each of its kinds."""
    kinds = _kinds(name)
    wide = max(map(len, kinds))
    rows = [_row(f"  {kind:<{wide}}  ", summary(name, kind)) for kind in kinds]
    places = _row("  written at ", _few(_places(name)), indent=4)
    return "\n".join([f"{name}: {_about(name)}", places, *rows])


def _few(places: list[str]) -> str:
    more = len(places) - MOST_PLACES
    return "; ".join(places[:MOST_PLACES]) + (f"; and {more} more" if more > 0 else "")


def _places(name: str) -> list[str]:
    """Where in a study file one of the family may stand: of the file, and of other kinds."""
    if name == METRIC:
        return ["objectives", "constraints", "metrics", "claims"]
    wanted = family(name)
    top = [*holding(Settings, wanted), *(["averagers"] if name == "averager" else [])]
    recipe = [f"recipe.{field}" for field in holding(Recipe, wanted)]
    holders: dict[str, list[str]] = {}
    for other in map(family, FAMILIES):
        for kind, spec in sorted(other.kinds.items()):
            for field in holding(spec, wanted):
                holders.setdefault(field, []).append(kind)
    return [*top, *recipe, *(f"{field} of {', '.join(of)}" for field, of in holders.items())]


def _about(name: str) -> str:
    package = "trainables.metrics" if name == METRIC else FAMILIES[name]
    return _head(package).partition(": ")[2].removesuffix(".")


def summary(name: str, kind: str) -> str:
    """What a kind is, in a sentence: the first of its file, or of a metric its own."""
    if name == METRIC:
        return METRICS[kind].summary
    return _head(family(name).kinds[kind].__module__)


def _head(module: str) -> str:
    return _doc(sys.modules[module]).partition("\n\n")[0].replace("\n", " ")


def _doc(of: Any) -> str:
    return (inspect.getdoc(of) or "").replace("``", "`")


# --- pages ------------------------------------------------------------------------------------


def _page(name: str, kind: str) -> str:
    """All that there is to know of a kind."""
    title = [_row(f"{name} {kind}: ", summary(name, kind), indent=2)]
    if name == METRIC:
        return "\n".join([*title, "", *_metric(METRICS[kind])])
    spec = family(name).kinds[kind]
    parts = [_doc(sys.modules[spec.__module__]).partition("\n\n")[2], _doc(spec)]
    told = [f"\n{_wrapped(part)}" for part in parts if part]
    fields = [_row(f"  {f.name}: ", _value(f.takes, f.default), indent=6) for f in fields_of(spec)]
    made = block(spelled(example(family(name), kind)), WIDTH - 2)
    shown = ["", "example:", *("  " + line for line in made)]
    return "\n".join([*title, *told, *(["", "fields:", *fields] if fields else []), *shown])


def _value(takes: str, default: str | None) -> str:
    if default is None:
        return f"{takes}; due"
    return f"{takes}; default {default if len(default) <= LONG else 'as in the example'}"


def _metric(metric: Metric) -> Iterable[str]:
    rows = {
        "formula": metric.formula,
        "source": metric.source,
        "better": "more" if metric.direction == "max" else "less",
        "range": f"{metric.low:g} to {metric.high:g}",
        "made of": ", ".join(metric.needs),
        "tasks": f"at least {metric.tasks_needed}",
    }
    if metric.subject == "weights":
        rows["student"] = f"{PREFIX}{metric.name} is that of the student"
    return [_row(f"  {key}: ", value, indent=6) for key, value in rows.items() if value]


def _row(head: str, told: str, *, indent: int | None = None) -> str:
    hanging = " " * (len(head) if indent is None else indent)
    return textwrap.fill(
        told,
        WIDTH,
        initial_indent=head,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped(told: str) -> str:
    """``told``, its paragraphs filled anew where they are too wide; what is indented stays."""
    return "\n\n".join(map(_narrow, told.split("\n\n")))


def _narrow(paragraph: str) -> str:
    lines = paragraph.splitlines()
    if max(map(len, lines)) <= WIDTH or any(line.startswith((" ", "-")) for line in lines):
        return paragraph
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)
