"""Fields: what a spec may say, in the words of a study file, and an example of all of it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from math import inf
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic.fields import FieldInfo

from spaces.bounds import Within
from spaces.families import Family
from spaces.schedules.base import Schedule
from spaces.schedules.constant import Constant
from spaces.specs import validate
from spaces.writing import flow, spelled

NUMBERS = (1.0, 0.1, 0.5, 10.0, 0.01)
"""Where a number is due, those that are tried for an example."""

MOST_TRIED = 200
"""Examples of one kind that are tried before it is said to have none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """``takes`` is its type and bounds in words; ``default`` as YAML, None where a value is due."""

    name: str
    takes: str
    default: str | None


def fields_of(kind: type[Any]) -> list[Field]:
    """Every field of a spec but ``kind``, in order."""
    hints = get_type_hints(kind, include_extras=True)
    return [
        Field(name=f.name, takes=words(hints[f.name]), default=_default(f))
        for f in dataclasses.fields(kind)
        if f.name != "kind"
    ]


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is not MISSING:
        return flow(spelled({"": field.default})[""])
    return None if field.default_factory is MISSING else flow(spelled(field.default_factory()))


def words(hint: Any) -> str:
    """What a field of type ``hint`` takes: "a whole number, at least 1"."""
    bare, notes = _parted(hint)
    bounds = [str(n) for n in notes if isinstance(n, Within)] + _limits(notes)
    return ", ".join([_type(bare), *bounds])


def _type(bare: Any) -> str:
    origin, args = get_origin(bare), get_args(bare)
    if origin is Literal:
        return (
            " or ".join(map(flow, args))
            if len(args) < 3
            else f"one of {', '.join(map(flow, args))}"
        )
    if origin in {Union, UnionType}:
        return " or ".join("null" if arg is NoneType else words(arg) for arg in args)
    if origin in {tuple, list}:
        return f"a list of: {words(args[0])}"
    if origin is dict or bare is dict:
        return "a mapping"
    if is_family(bare):
        name = bare.__name__.lower()
        article = "an" if name[0] in "aeiou" else "a"
        return f"{article} {name}" + (" or a number" if bare is Schedule else "")
    return _WORDS.get(bare, "a mapping" if dataclasses.is_dataclass(bare) else "anything")


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word or a sentence",
}


def is_family(kind: Any) -> bool:
    return isinstance(kind, type) and Family in kind.__bases__


def _limits(notes: list[Any]) -> list[str]:
    """The bounds of a number, or of how many there are, in words."""
    out = []
    for note in notes:
        match note:
            case annotated_types.Ge():
                out.append(f"at least {_number(note.ge)}")
            case annotated_types.Gt():
                out.append(f"above {_number(note.gt)}")
            case annotated_types.Le():
                out.append(f"at most {_number(note.le)}")
            case annotated_types.Lt():
                out.append(f"below {_number(note.lt)}")
            case annotated_types.MinLen():
                out.append(f"at least {note.min_length} of them")
            case annotated_types.MaxLen():
                out.append(f"at most {note.max_length} of them")
            case _ if getattr(note, "pattern", None):
                out.append(f"matching {note.pattern}")
    return out


def _number(bound: Any) -> str:
    if isinstance(bound, float):
        return f"{bound:.6g}"
    exponent = bound.bit_length() - 1
    return f"2**{exponent}" if exponent > 30 and bound == 2**exponent else str(bound)


def _parted(hint: Any) -> tuple[Any, list[Any]]:
    """The bare type, and its metadata with pydantic's ``Field`` taken apart."""
    if get_origin(hint) is not Annotated:
        return hint, []
    bare, *notes = get_args(hint)
    parts = [[*n.metadata, n] if isinstance(n, FieldInfo) else [n] for n in notes]
    return bare, [note for part in parts for note in part]


# --- examples ---------------------------------------------------------------------------------


def example(family: type[Family], kind: str) -> Any:
    """A legal instance of ``kind``: its defaults, and where a value is due one that may stand there.

    What a ``Field(examples=[...])`` of the spec says goes before what is tried otherwise.

    Raises:
        LookupError: if nothing that is tried is legal.
    """
    spec = family.kinds[kind]
    hints = get_type_hints(spec, include_extras=True)
    due = [f.name for f in dataclasses.fields(spec) if _default(f) is None]
    offers = [list(itertools.islice(_offers(hints[n], family, k), 12)) for k, n in enumerate(due)]
    for values in itertools.islice(itertools.product(*offers), MOST_TRIED):
        found = validate(family, {"kind": kind, **dict(zip(due, values, strict=True))})
        if not isinstance(found, list):
            return found
    raise LookupError(f"none of what was tried is legal: {kind=} {offers=}")


def _offers(hint: Any, family: type[Family], place: int) -> Iterator[Any]:
    """Data for the due field number ``place`` of a kind of ``family``, the most telling first."""
    bare, notes = _parted(hint)
    yield from (e for n in notes if isinstance(n, FieldInfo) for e in n.examples or ())
    within = [n for n in notes if isinstance(n, Within)]
    if within and within[0].high < inf:
        yield from (0.9, within[0].high, within[0].low)
    if bare is float or within:
        yield from NUMBERS[1 if within else place % 2 :]
        yield from (getattr(n, end) for n in notes for end in ("ge", "le") if hasattr(n, end))
    elif bare is int:
        yield from (10, 5, 2, 1)
    elif get_origin(bare) is Literal:
        yield from reversed(get_args(bare))  # "tasks" rather than "steps"
    elif get_origin(bare) in {tuple, list}:
        yield from ([value] for value in _offers(get_args(bare)[0], family, place))
    elif is_family(bare):
        yield from _simplest(bare)
    yield from {str: ("...",), dict: ({},)}.get(get_origin(bare) or bare, ())


def _simplest(family: type[Family]) -> Iterator[Any]:
    """Kinds of which nothing is due but plain values; first those of which something is.

    A constant schedule tells nothing, and is left out.
    """
    due = {
        name: [f.name for f in dataclasses.fields(kind) if _default(f) is None]
        for name, kind in family.kinds.items()
        if kind is not Constant
    }
    hints = {name: get_type_hints(family.kinds[name]) for name in due}
    plain = [n for n in due if not any(_holds(hints[n][f], family) for f in due[n])]
    ordered = sorted(plain, key=lambda n: (not due[n], len(due[n]), n))
    yield from (spelled(example(family, name)) for name in ordered)


# --- who holds what ---------------------------------------------------------------------------


def holding(kind: type[Any], family: type[Family]) -> list[str]:
    """The fields of a spec in which one of ``family`` may stand."""
    hints = get_type_hints(kind, include_extras=True)
    return [f.name for f in dataclasses.fields(kind) if _holds(hints[f.name], family)]


def _holds(hint: Any, family: type[Family]) -> bool:
    return hint is family or any(_holds(arg, family) for arg in get_args(hint))
