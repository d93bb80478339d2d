"""A draft: a study's whole budget of candidates, drawn at random and folded, with nothing run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.asking import FREE, REFUSED_AT_FIRST, Held, wave
from search.plans import Candidate, fold
from spaces.problems import SpecError
from spaces.space import knob_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from search.anchors import Anchors
    from search.plans import Crew, Fits
    from search.room import Scales
    from search.studyfile import StudyFile
    from spaces.domains import Choice, Range
    from spaces.problems import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The candidates that can be trained, by number, and the ``crews`` that they make.

    ``refused`` says of each other one why it cannot be trained. For the last ``late`` of the anchors
    the budget was too small.
    """

    drawn: dict[int, Candidate]
    refused: list[str]
    crews: list[Crew]
    late: int


def draft(file: StudyFile, anchors: Anchors, fits: Fits, scales: Scales) -> Draft:
    """Draws wave by wave, as a study does, the ``anchors`` first.

    Raises SpecError if nothing of it can be trained.
    """
    ask = _at_random(file)
    due = iter([Held(anchor.knobs, {}) for anchor in anchors.asked])
    drawn: dict[int, Candidate] = {}
    refused: list[str] = []
    crews: list[Crew] = []
    while (count := len(drawn) + len(refused)) < file.budget.planned:
        asked = {}
        for number, proposal in wave(
            file, count, ask, begin=lambda first: ask(first, next(due, FREE))
        ):
            if told := file.refusals(proposal.filled):
                refused += ["; ".join(told.values())]
            else:
                asked[number] = Candidate(number, *file.candidate(proposal.filled))
        drawn |= asked
        crews += fold(
            list(asked.values()), most_members=file.fold.members, fits=fits, rows=scales.rows
        )
        _refuse_hopeless(file, drawn, refused)
    return Draft(drawn=drawn, refused=refused, crews=crews, late=sum(1 for _ in due))


def _refuse_hopeless(
    file: StudyFile, drawn: Mapping[int, Candidate], refused: Sequence[str]
) -> None:
    most = min(REFUSED_AT_FIRST, file.budget.planned)
    if not drawn and len(refused) >= most:
        told = f"{len(refused)} candidates were drawn and all are refused"
        why = f"what the knobs may be goes alone, but not together; the last: {refused[-1]}"
        raise SpecError([f"{file.source}: {told}: {why}"])


@dataclass(frozen=True, slots=True)
class _Drawn:
    knobs: dict[str, Any]
    filled: Any


def _at_random(file: StudyFile) -> Callable[[int, Held], _Drawn]:
    rng = np.random.default_rng(file.seed)

    def ask(number: int, held: Held) -> _Drawn:
        del number
        fixed = held.knobs
        knobs: dict[str, Any] = dict(fixed) if held.parts else {}

        def pick(path: Path, domain: Range | Choice) -> Any:
            name = knob_name(path)
            knobs[name] = fixed[name] if name in fixed else domain.at(rng.random())
            return knobs[name]

        return _Drawn(knobs, file.space.fill(pick, held.parts))

    return ask
