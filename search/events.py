"""Events: what a ledger's lines say. Everything else a study knows is a function of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import CoreConfig, SchemaSerializer

SCHEMA = 3
"""Read are 1, records of averages' accuracies alone, and 2, without repeats."""

State: TypeAlias = Literal["complete", "pruned", "failed"]
FaultKind: TypeAlias = Literal["raised", "memory", "died"]
"""The job raised something; it ran out of memory; or its worker died."""


class Line:
    """Base of the events: a line that says anything else than its event's fields is refused.

    What is typed ``Any`` is a JSON value: mappings have text for keys, sequences are lists.
    """

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened(Line):
    """The first line: the study as it was read, what it ran on, and with what it began.

    ``known`` are the ``knobs`` and ``values`` of another study's candidates, ``left_out`` how many of
    them did not fit and why (``search/warm_starts.py``).
    """

    event: ClassVar[str] = "study"

    name: str
    text: str
    overrides: tuple[str, ...] = ()
    source: str = "study.yaml"
    versions: dict[str, str] = field(default_factory=dict)
    git: str | None = None
    created: str = ""
    known: tuple[dict[str, Any], ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    schema: int = SCHEMA


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumed(Line):
    """A later driver took the study up again, ``at`` seconds of study time."""

    event: ClassVar[str] = "resumed"

    at: float
    versions: dict[str, str] = field(default_factory=dict)
    git: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked(Line):
    """A candidate was drawn: its knobs by name, and the recipe and averager they make.

    One that ``repeats`` another is that with a further seed: drawn by nobody, of no budget.
    """

    event: ClassVar[str] = "candidate"

    candidate: int
    knobs: dict[str, Any]
    config: dict[str, Any]
    attrs: dict[str, Any] = field(default_factory=dict)
    repeats: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued(Line):
    """A job: for each of its members the candidates that are averages of it.

    A candidate may be queued again (its job raised and was split): the latest job counts.
    """

    event: ClassVar[str] = "job"

    job: int
    members: tuple[tuple[int, ...], ...]
    seed: int

    @property
    def candidates(self) -> tuple[int, ...]:
        """In the order of the cohort's seats."""
        return tuple(c for member in self.members for c in member)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured(Line):
    """A candidate's validation accuracy on tasks 0..``task``, just after ``task`` was learnt.

    ``measures`` is what else was measured of its average, and after ``student_`` of its student
    (``trainables/evaluation.py``). ``seconds`` is its share of the worker's time since the task before; ``at`` is study time.
    """

    event: ClassVar[str] = "record"

    candidate: int
    task: int
    step: int
    accuracy: tuple[float, ...]
    seconds: float
    at: float
    measures: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome(Line):
    """The end of a candidate. ``values`` are its metrics after ``task`` (none when it failed)."""

    event: ClassVar[str] = "outcome"

    candidate: int
    state: State
    values: dict[str, float]
    task: int
    at: float
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault(Line):
    """A job raised or its worker died; what became of its candidates follows in other events."""

    event: ClassVar[str] = "fault"

    job: int
    reason: str
    at: float
    kind: FaultKind = "raised"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended(Line):
    """Nothing more will be asked or trained."""

    event: ClassVar[str] = "end"

    reason: str
    at: float


Event: TypeAlias = Opened | Resumed | Asked | Queued | Measured | Outcome | Fault | Ended

_KINDS: dict[str, type[Any]] = {
    k.event: k for k in (Opened, Resumed, Asked, Queued, Measured, Outcome, Fault, Ended)
}


def encode(event: Event) -> dict[str, Any]:
    """A JSON object whose ``event`` names the kind."""
    names = [f.name for f in dataclasses.fields(event)]
    return {"event": event.event, **{name: getattr(event, name) for name in names}}


def fields_of(event: Event) -> bytes:
    """What ``encode`` says besides the kind, as JSON; numbers that are not finite by name."""
    return _writer(event.event).to_json(event, warnings=False)


def decode(line: dict[str, Any]) -> Event:
    """The event that ``encode`` made ``line`` of. Raises ValueError on anything else."""
    fields = dict(line)
    kind = fields.pop("event", None)
    if kind == Opened.event:
        _refuse_newer(fields.get("schema"))
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"unknown event {kind!r}")
    try:
        made: Event = _reader(kind).validate_python(fields)
    except ValidationError as error:
        raise ValueError(f"{kind}: {_explain(error)}") from None
    return made


class NewerSchemaError(ValueError):
    """A ledger was written by a version of Equipoise that this one does not know."""


def _refuse_newer(schema: Any) -> None:
    if isinstance(schema, int) and schema > SCHEMA:
        raise NewerSchemaError(
            f"written by a newer Equipoise (schema {schema}, this one reads up to {SCHEMA}); "
            f"upgrade to read it"
        )


@cache
def _reader(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[kind])


@cache
def _writer(kind: str) -> SchemaSerializer:
    # What the events' own settings say of floats does not hold for what is typed Any.
    return SchemaSerializer(_reader(kind).core_schema, CoreConfig(ser_json_inf_nan="constants"))


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg'][0].lower()}{first['msg'][1:]}"
