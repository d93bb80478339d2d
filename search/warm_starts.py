"""Warm starts: what another study measured, told to the sampler before anything is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field

from spaces.problems import SpecError
from spaces.space import knob_name
from spaces.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from search.studyfile import StudyFile
    from spaces.problems import Path as DataPath
    from spaces.space import Domain, Space


OUTSIDE = "outside of the space"
OTHERS = "with other fixed settings"
MISSING = "without a metric that is due"


@dataclass(frozen=True, kw_only=True, slots=True)
class Store(Spec):
    """An ``experiment`` of the MLflow store at ``uri``, with the runs of one study or of several."""

    uri: Annotated[str, Field(min_length=1)]
    experiment: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmStart(Spec):
    """The folder of another study, ``ledger``, whose complete candidates the sampler begins with.

    Or an experiment of studies that MLflow has, ``mlflow``, if their folders are elsewhere.

    They are observations and no more: on no front, in no count. Told are those that this study's
    space could have drawn, with whatever is not searched the same too, and that have its metrics.
    Nobody compares the scenarios: what is good on the one is taken to be good on the other. The
    population of ``nsga2`` and ``nsga3`` is of this study's own; the other samplers that learn do.
    """

    ledger: Annotated[str, Field(min_length=1)] | None = None
    mlflow: Store | None = None

    def __post_init__(self) -> None:
        if (self.ledger is None) == (self.mlflow is None):
            raise ValueError("one of ledger and mlflow is due, got both or none")

    def __str__(self) -> str:
        return self.ledger or f"the experiment {self.mlflow and self.mlflow.experiment!r}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """A complete candidate of another study; ``why`` it is none of this one's, if it is not."""

    knobs: dict[str, Any]
    values: Mapping[str, float]
    why: str = ""


Recall: TypeAlias = "Callable[[StudyFile, Store], Iterable[Remembered]]"
"""Reads a store: what knows MLflow is not imported here (``reports/tracker/recall.py``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Warmth:
    """What was ``known`` of candidates: their ``knobs`` and ``values``. ``left_out``: how many, by why."""

    known: tuple[dict[str, Any], ...] = ()
    left_out: Mapping[str, int]

    def __str__(self) -> str:
        others = ", ".join(f"{n} {why}" for why, n in sorted(self.left_out.items()))
        return f"{len(self.known)} candidates of another study are told" + (
            f"; left out: {others}" if others else ""
        )


def warmth_of(file: StudyFile, recall: Recall) -> Warmth:
    """What the study of ``file`` knows before it begins: all that its ledger will need of another.

    Raises SpecError if the other study cannot be read, or none of its candidates fits.
    """
    said = file.warm_start
    if said is None:
        return Warmth(left_out={})
    others = _of_ledger(file, said.ledger) if said.mlflow is None else recall(file, said.mlflow)
    known, left_out = [], Counter[str]()
    for other in others:
        if other.why:
            left_out[other.why] += 1
        else:
            kept = {name: other.values[name] for name in file.goals.names}
            known.append({"knobs": other.knobs, "values": kept})
    found = Warmth(known=tuple(known), left_out=dict(left_out))
    if not known:
        problem = f"no complete candidate of {said} fits this study: {found}"
        raise SpecError([f"{file.source}: warm_start: {problem}"])
    return found


def _of_ledger(file: StudyFile, folder: str | None) -> Iterator[Remembered]:
    from search.folders import load  # noqa: PLC0415 - reads study files, of whose settings this is one

    history, _ = load(Path(folder or "."))
    for candidate, values in history.finals().items():
        asked = history.candidates[candidate]
        why = _misfit(file, asked.knobs, asked.config, values)
        yield Remembered(knobs=asked.knobs, values=values, why=why)


def _misfit(
    file: StudyFile, knobs: Mapping[str, Any], config: Any, values: Mapping[str, float]
) -> str:
    """Why a candidate of another study is none of this one's; nothing if it is."""
    if set(file.goals.names) - set(values):
        return MISSING
    try:
        filled = _filled(file.space, knobs)
    except (KeyError, ValueError):
        return OUTSIDE
    return "" if filled == config else OTHERS


def _filled(space: Space, knobs: Mapping[str, Any]) -> Any:
    """What ``knobs`` make of a space. Raises KeyError or ValueError if it could not have drawn them."""
    left = dict(knobs)

    def pick(path: DataPath, domain: Domain) -> Any:
        value = left.pop(knob_name(path))
        if not domain.holds(value):
            raise ValueError(f"a knob's value is inside its domain, got {value=} {domain=}")
        return value

    _, filled = space.draw(pick)
    if left:
        raise ValueError(f"knobs are in play, got {left=}")
    return filled
