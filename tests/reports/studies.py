"""Studies made by hand: histories whose every number is known, for the reports to tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports.averages import half_life
from search.events import Asked, Ended, Event, Measured, Opened, Outcome, Queued
from search.history import History
from search.studyfile import StudyFile, read_text
from spaces.space import knob_name

TEXT = """\
# Two kinds of average of two kinds of student.
name: hand-made
seed: 3
scenario: {kind: blobs}
objectives: {plasticity: max, stability: max}
recipe:
  optimizer: {kind: sgd, lr: !log [1e-3, 1.0]}
  strategy: !choice
    - {kind: finetune}
    - {kind: mean_teacher, agreement: !log [0.01, 10.0], teacher: {kind: ema, momentum: !near_one [0.9, 0.9999]}}
averagers:
  - {kind: ema, momentum: !near_one [0.9, 0.9999], every: !int [1, 50]}
  - {kind: ema, momentum: {kind: cosine, start: !near_one [0.9, 0.999], end: 1.0}, every: !int [1, 50]}
  - {kind: student}
budget: {candidates: 60}
"""

VERSIONS = {"equipoise": "0.1.0", "torch": "2.13.0"}


def opened(text: str = TEXT, overrides: tuple[str, ...] = ()) -> Opened:
    return Opened(
        name="hand-made",
        text=text,
        overrides=overrides,
        versions=VERSIONS,
        git="0123abc",
        created="2031-05-06T07:08:09+00:00",
    )


def study_of(history: History) -> StudyFile:
    said = history.opened
    return read_text(said.text, said.source, said.overrides)


def asked(candidate: int, study: StudyFile, rng: np.random.Generator) -> Asked:
    point, filled = study.space.draw(lambda _, domain: domain.at(rng.uniform()))
    knobs = {knob_name(path): value for path, value in point.items()}
    return Asked(candidate=candidate, knobs=knobs, config=filled)


def ended(
    candidate: int,
    values: tuple[float, float],
    *,
    at: float,
    state: str = "complete",
    tasks: int = 3,
) -> list[Event]:
    """Records of a candidate that ends with ``values``, and its outcome."""
    plasticity, stability = values
    rows = [(*(stability for _ in range(k)), plasticity) for k in range(tasks)]
    records = [
        Measured(candidate=candidate, task=k, step=10 * (k + 1), accuracy=row, seconds=0.25, at=at)
        for k, row in enumerate(rows)
    ]
    lost = plasticity - stability
    told = {"plasticity": plasticity, "stability": stability, "forgetting": lost}
    told = {} if state == "failed" else told
    reason = {"failed": "diverged: the average is not finite", "pruned": "rung 2"}.get(state)
    outcome = Outcome(
        candidate=candidate, state=state, values=told, task=tasks - 1, at=at, reason=reason
    )
    return [*records, outcome]


def empty() -> History:
    """A study that was launched and asked for nothing yet."""
    return History.of([opened()])


def small() -> History:
    """Seven candidates: 0, 1, 2 make the front (1 the knee), 3 is beaten, 4 pruned, 5 failed, 6 runs.

    The pruned one scored (0.99, 0.99) after two tasks, more than any complete one.
    """
    return History.of(small_events())


def small_events() -> list[Event]:
    first = History.of([opened()])
    study, rng = study_of(first), np.random.default_rng(0)
    events: list[Event] = [opened()]
    events += [asked(c, study, rng) for c in range(7)]
    events += [Queued(job=0, members=((0, 1), (2,), (3,)), seed=11)]
    events += [Queued(job=1, members=((4,), (5,), (6,)), seed=12)]
    events += ended(0, (0.9, 0.3), at=1.0)
    events += ended(1, (0.8, 0.6), at=2.0)
    events += ended(4, (0.99, 0.99), at=2.5, state="pruned", tasks=2)
    events += ended(5, (0.5, 0.5), at=2.75, state="failed", tasks=1)
    events += ended(2, (0.4, 0.7), at=3.0)
    events += ended(3, (0.7, 0.5), at=4.0)
    return events


def with_outcomes(points: Sequence[tuple[float, float]]) -> list[Event]:
    """A study whose candidates all end with these objectives, a second after another."""
    events: list[Event] = [opened()]
    for candidate, values in enumerate(points):
        config = {"recipe": {}, "averager": {"kind": "student"}}
        events += [Asked(candidate=candidate, knobs={}, config=config)]
        events += [Queued(job=candidate, members=((candidate,),), seed=0)]
        events += ended(candidate, values, at=float(candidate + 1))
    return events


def large(candidates: int = 200, text: str = TEXT, seed: int = 0) -> History:
    """A study of plausible numbers: the longer the memory, the stabler and the less plastic."""
    first = History.of([opened(text)])
    study, rng = study_of(first), np.random.default_rng(seed)
    events: list[Event] = [opened(text)]
    for candidate in range(candidates):
        drawn = asked(candidate, study, rng)
        events += [drawn, Queued(job=candidate, members=((candidate,),), seed=study.seed)]
        at = 0.1 * (candidate + 1)
        if rng.uniform() < 0.5:
            values = tuple(rng.uniform(0.2, 0.9, 2))
            events += ended(candidate, values, at=at, state="pruned", tasks=2)
            continue
        events += ended(candidate, _plausible(study, drawn, rng), at=at)
    return History.of([*events, Ended(reason="budget", at=0.1 * candidates + 0.2)])


def _plausible(study: StudyFile, drawn: Asked, rng: np.random.Generator) -> tuple[float, float]:
    clock = study.scenario.clock()
    averager = study.candidate(drawn.config)[1]
    memory = half_life(averager, clock) / clock.task_ends[0]
    lr = next(value for name, value in drawn.knobs.items() if ".lr" in name)
    spoilt = 0.12 * abs(np.log10(lr) + 1) ** 2
    plasticity = 0.97 - 0.3 * memory**1.3 / (0.6 + memory**1.3) - spoilt + rng.normal(0, 0.012)
    stability = 0.35 + 0.3 * memory / (0.25 + memory) - 0.6 * spoilt + rng.normal(0, 0.015)
    low, high = 0.05, 0.995
    return float(np.clip(plasticity, low, high)), float(np.clip(stability, low, high))
