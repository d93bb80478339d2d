"""The study file: its settings, its space, and how to read one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar, cast

from search.budgets import Budget
from search.checks import faults_of, written
from search.fits import of_averager, of_recipe
from search.recent import Recent
from search.settings import Device, Fold, Resources, Settings
from search.templates import space_of
from spaces.faults import Fault
from spaces.files import text_of
from spaces.overrides import override
from spaces.problems import Path as DataPath
from spaces.problems import Place, SpecError, hint, refuse
from spaces.space import Space
from spaces.specs import problem, validate
from spaces.yamls import read as read_yaml
from trainables.averagers import Averager
from trainables.recipes import Recipe
from trainables.scenarios import Scenario

__all__ = [
    "Budget",
    "Device",
    "Fold",
    "Resources",
    "Settings",
    "StudyFile",
    "read",
    "read_text",
    "shipped",
]

T = TypeVar("T")

Unfit: TypeAlias = "Callable[[T, Scenario], Iterable[tuple[DataPath, str]]]"
"""What of a part does not go with a scenario: its path and why."""

STUDIES = Path(__file__).parent / "studies"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFile(Settings):
    """A study file that was read, every corner of its space known to be legal.

    ``space`` is over ``{"recipe": ..., "averager": ...}``, the averager being a choice between
    those that the file lists. ``text``, ``source`` and ``overrides`` are what it was read from.
    """

    space: Space
    text: str
    source: str
    overrides: tuple[str, ...]
    _recent: Recent = field(default_factory=Recent, init=False, repr=False, compare=False)

    def candidate(self, filled: Mapping[str, Any]) -> tuple[Recipe, Averager]:
        """What a draw of the space stands for.

        Raises:
            SpecError: if it is not of this space.
        """
        recipe = self._recipe(filled["recipe"]).found
        averager = self._averager(filled["averager"]).found
        if isinstance(recipe, list):
            raise SpecError(_lines(recipe, "recipe"))
        if isinstance(averager, list):
            raise SpecError(_lines(averager, "averager"))
        return recipe, averager

    def corners(self) -> Iterator[tuple[Recipe, Averager]]:
        """What stands at the corners of the space, but where a ``!same`` has no value."""
        drawn = (filled for _, filled in self.space.corners())
        return (self.candidate(filled) for filled in drawn if not self.space.lacking(filled))

    def refusals(self, filled: Mapping[str, Any]) -> dict[str, str]:
        """Why a draw of the space cannot be trained, by its part: recipe or averager.

        Empty if it can. A file is checked one knob at a time; what is left are combinations.
        """
        told = {
            "recipe": self._faults(self._recipe(filled["recipe"]), of_recipe),
            "averager": self._faults(self._averager(filled["averager"]), of_averager),
        }
        return {part: "; ".join(_lines(faults, part)) for part, faults in told.items() if faults}

    def _faults(self, read: _Read[T], unfit: Unfit[T]) -> list[Fault]:
        """What keeps a part of a draw from being what it should, or else from going with the scenario."""
        if read.faults is None:
            read.faults = self._found_faults(read, unfit)
        return read.faults

    def _found_faults(self, read: _Read[T], unfit: Unfit[T]) -> list[Fault]:
        if missed := self.space.lacking(read.data):
            told = "in this combination there is nothing at that path"
            return [Fault((), (), f"{same}: {told}") for same in missed]
        if isinstance(read.found, list):
            return read.found
        return [Fault(path, path, message) for path, message in unfit(read.found, self.scenario)]

    def _recipe(self, data: Any) -> _Read[Recipe]:
        """What is known of a draw's recipe: once for all averages of a student, which share it.

        What is found is the same object for the same data, as candidates of one student have it
        that were read from a ledger.
        """

        def read() -> _Read[Recipe]:
            return _Read(data, self._recent.of(repr(data), lambda: validate(Recipe, data)))

        # It is known together with its data, whose id is therefore no other's.
        return self._recent.of(id(data), read)

    def _averager(self, data: Any) -> _Read[Averager]:
        """What is known of a draw's averager; hardly two have the same, and so none is looked for."""
        return self._recent.of(id(data), lambda: _Read(data, validate(Averager, data)))


@dataclass(slots=True)
class _Read(Generic[T]):
    """A part of a draw: its ``data``, what was ``found`` in it, and the ``faults`` once they were asked for."""

    data: Any
    found: T | list[Fault]
    faults: list[Fault] | None = None


def shipped() -> dict[str, str]:
    """The names of the studies that come with Equipoise, and what each is for."""
    files = sorted(STUDIES.glob("*.yaml"))
    return {file.stem: file.read_text("utf-8").partition("\n")[0].lstrip("# ") for file in files}


def read(name_or_path: str | Path, overrides: Sequence[str] = ()) -> StudyFile:
    """The shipped study of that name, or else the file at that path.

    Raises:
        SpecError: if there is no such study, or with everything that is wrong with it.
    """
    known = shipped()
    if str(name_or_path) in known:
        file = STUDIES / f"{name_or_path}.yaml"
        return read_text(text_of(file), file.name, overrides)
    path = Path(name_or_path)
    if not path.exists() and path.name == str(name_or_path) and not path.suffix:
        told = f"no shipped study has this name{hint(path, known)}, and there is no such file"
        raise SpecError([f"{path}: {told}"])
    return read_text(text_of(path), str(path), overrides)


def read_text(text: str, source: str, overrides: Sequence[str] = ()) -> StudyFile:
    """The study in ``text``, which came from ``source``, with ``overrides`` (``a.b=v``) over it.

    Raises:
        SpecError: with the place, path and remedy of everything that is wrong.
    """
    document = read_yaml(text, lambda line: Place(line, f"{source}:{line}"))
    for setting in overrides:
        document = override(document, setting)
    faults = faults_of(document.data)
    refuse([*document.problems, *(problem(fault, document.places) for fault in faults)])
    said = written(document.data)
    return StudyFile(
        **{f.name: getattr(said, f.name) for f in fields(Settings)},
        space=cast("Space", space_of(document.data)),
        text=text,
        source=source,
        overrides=tuple(overrides),
    )


def _lines(faults: Iterable[Fault], part: str) -> list[str]:
    """What is wrong with a part of a draw, each fault once."""
    nowhere = {(): Place(1, "")}
    told = (problem(f._replace(shown=(part, *f.shown)), nowhere) for f in faults)
    return list(dict.fromkeys(map(str, told)))
