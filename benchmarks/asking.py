"""What a study costs besides training: milliseconds a candidate of asks, tells, rungs and ledger.

The default study with workers that take no time: their records are made up from the knobs. Each
size of study is told in parts, and then its ledger is read and replayed, as a resumed driver does.
Repeats are candidates here too, and what all took is divided by all.
Then --trained candidates of the same study are really trained, in this process and without a
tracker, for what a worker is busy with one: so much of that is what was spent on deciding, of the
sampler and the rungs and of everything. Both are of the same hour, on whose speed neither share depends.
Processor time, so that it does not matter who else is at work; of one thread with OMP_NUM_THREADS=1.

    OMP_NUM_THREADS=1 python benchmarks/asking.py --json benchmarks/results/asking-2-cores.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from benchmarks.measurements import machine
from search import study as studies
from search import studyfile
from search.engines import local
from search.events import Opened
from search.folders import load
from search.history import History
from search.launch import unswept
from search.ledger import Ledger
from search.rungs import Ladder
from search.samplers.suggestions import Suggestions
from search.study import Study
from search.studyfile import StudyFile
from trainables.runs import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.jobs import Job

Parts: TypeAlias = tuple[tuple[str, Any, str], ...]
"""Calls whose time is taken: what it is called, and whose attribute of which name it is."""

PARTS: Parts = (
    ("sampler: ask", Suggestions, "ask"),
    ("sampler: tell", Suggestions, "tell"),
    ("knobs to specs", StudyFile, "candidate"),
    ("refusals", StudyFile, "refusals"),
    ("fold", studies, "fold"),
    ("rungs", Ladder, "judge"),
    ("ledger", Ledger, "append"),
)
"""Where the time goes: none of these calls another."""

SAMPLER_AND_RUNGS = ("sampler: ask", "sampler: tell", "rungs")

DECIDING: Parts = (("deciding", Study, "next_job"), ("deciding", Study, "tell"))
"""All that a study does while it is driven; the rest of the time its driver trains."""


@dataclass
class Stopwatch:
    """Seconds spent in each of ``parts`` while it is worn."""

    parts: Parts
    seconds: Counter[str] = field(default_factory=Counter)
    _worn: list[tuple[Any, str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        for part, owner, name in self.parts:
            original = getattr(owner, name)
            self._worn.append((owner, name, original))
            setattr(owner, name, self._timed(part, original))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, original in self._worn:
            setattr(owner, name, original)

    def _timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return call(*given, **named)
            finally:
                self.seconds[part] += time.process_time() - began

        return timed


def measured(study: Study, job: Job, task: int, rng: np.random.Generator) -> list[Record]:
    """What the living candidates of a job would score; the averages of a student beside the same one."""
    history, out, seat = study.history, list[Record](), 0
    for member in history.jobs[job.number].members:
        scored: tuple[float, ...] = ()
        for candidate in member:
            if candidate not in history.outcomes:
                knobs = history.candidates[candidate].knobs
                hot, slow = _places(knobs)
                scored = scored or row(hot, 0.0, task, rng)
                scores = {"accuracy": row(hot, slow, task, rng), "student_accuracy": scored}
                at = 150 * (task + 1)
                out.append(Record(seat=seat, task=task, step=at, scores=scores, seconds=0.03))
            seat += 1
    return out


def _places(knobs: dict[str, Any]) -> tuple[float, float]:
    """How hot a student is trained and how slow an average of it is, both about 0 to 1."""
    return np.log10(knobs["recipe.optimizer.lr.scale"]) / 2 + 1, knobs["averager"] / 8


def row(hot: float, slow: float, task: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Accuracies after ``task``: forgetting grows with the learning rate, and less in slow averages."""
    new = 0.97 - 0.3 * (1 - hot) ** 2 - 0.1 * slow
    old = 0.95 - 0.6 * hot**2 + 0.2 * slow * hot
    means = [old] * task + [new]
    return tuple(float(min(max(a + rng.normal(0, 0.01), 0.0), 1.0)) for a in means)


def run(candidates: int, overrides: tuple[str, ...], directory: Path) -> dict[str, Any]:
    """One study of ``candidates``, and its replay. Milliseconds a candidate.

    The parts are those of a second such study: to look at the clock at each takes a microsecond.
    """
    file = _study(candidates, overrides)
    marks = spent(file, directory / "study")
    with Stopwatch(PARTS) as watch:
        timed = spent(file, directory / "timed")[-1][1]
    watch.seconds["rest"] = timed - watch.seconds.total()
    began = time.process_time()
    history, file = load(directory / "study")
    read = time.process_time() - began
    with Ledger.open(directory / "study") as ledger:
        began = time.process_time()
        Study(file, ledger, history, lambda: 0.0)
        replayed = time.process_time() - began
    asked = len(history.candidates)
    return {
        "candidates": candidates,
        "sampler": type(file.sampler).__name__.lower(),
        "all": 1000 * marks[-1][1] / asked,
        "parts": {part: 1000 * s / asked for part, s in sorted(watch.seconds.items())},
        "last_tenth": _last(marks, candidates // 10),
        "resuming": {
            "reading": 1000 * read / asked,
            "replaying": 1000 * replayed / asked,
        },
        "outcomes": history.counts(),
    }


def trained(candidates: int, overrides: tuple[str, ...], directory: Path) -> dict[str, float]:
    """What a worker is busy with one of so many candidates. Milliseconds: of the records, and of CPU.

    Before them goes a wave that does not count: what is done once a process is of no candidate.
    """
    file = _study(candidates, overrides)
    wave = file.fold.members * file.fold.averages
    _train(_study(wave, overrides), directory / "first")
    return {"candidates": candidates, **_train(file, directory / "trained")}


def _train(file: StudyFile, directory: Path) -> dict[str, float]:
    opened = _opened(file)
    with unswept(), Ledger.create(directory, opened) as ledger, Stopwatch(DECIDING) as watch:
        study = Study(file, ledger, History(opened), time.monotonic)
        began = time.process_time()
        local.drive(study, lambda: None)
        busy = time.process_time() - began - watch.seconds.total()
    asked = len(study.history.candidates)
    return {
        "recorded": 1000 * study.history.device_seconds() / asked,
        "cpu": 1000 * busy / asked,
    }


def shares(found: dict[str, Any], training: dict[str, float]) -> dict[str, float]:
    """Of the processor time that training a candidate takes, what deciding on it does in a study."""
    own = sum(found["parts"][part] for part in SAMPLER_AND_RUNGS)
    return {
        "sampler and rungs": own / training["cpu"],
        "everything": found["all"] / training["cpu"],
    }


def _study(candidates: int, overrides: tuple[str, ...]) -> StudyFile:
    return studyfile.read("digits-frontier", (f"budget.candidates={candidates}", *overrides))


def _opened(file: StudyFile) -> Opened:
    return Opened(name=file.name, text=file.text, overrides=file.overrides, source=file.source)


def spent(file: StudyFile, directory: Path) -> list[tuple[int, float]]:
    """How many seconds had gone into how many candidates, at the end of each job."""
    opened = _opened(file)
    clock, rng = count(), np.random.default_rng(0)
    marks: list[tuple[int, float]] = [(0, 0.0)]
    tasks = len(file.scenario.clock().task_ends)
    with unswept(), Ledger.create(directory, opened) as ledger:
        study = Study(file, ledger, History(opened), lambda: float(next(clock)))
        faking = 0.0
        began = time.process_time()
        while (job := study.next_job()) is not None:
            for task in range(tasks):
                paused = time.process_time()
                records = measured(study, job, task, rng)
                faking += time.process_time() - paused
                if not study.tell(job.number, records):
                    break
            marks.append((len(study.history.candidates), time.process_time() - began - faking))
    return marks


def _last(marks: list[tuple[int, float]], how_many: int) -> float:
    """Milliseconds a candidate, of the last so many at least."""
    end, at_end = marks[-1]
    began, at = next((c, s) for c, s in reversed(marks) if end - c >= how_many)
    return 1000 * (at_end - at) / (end - began)


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--candidates", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="A.B=V")
    parser.add_argument(
        "--trained",
        type=int,
        default=400,
        metavar="N",
        help="candidates that are really trained, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    said = parser.parse_args(words)
    overrides = tuple(said.overrides)
    told: dict[str, Any] = {"runs": []}
    for candidates in said.candidates:
        with tempfile.TemporaryDirectory() as folder:
            told["runs"].append(run(candidates, overrides, Path(folder)))
        print(json.dumps(told["runs"][-1], indent=2))
    if said.trained:
        with tempfile.TemporaryDirectory() as folder:
            told["training"] = trained(said.trained, overrides, Path(folder))
        for found in told["runs"]:
            found["of_training"] = shares(found, told["training"])
        of = {found["candidates"]: found["of_training"] for found in told["runs"]}
        print(json.dumps({"training": told["training"], "of_training": of}, indent=2))
    if said.json:
        said.json.write_text(json.dumps({"machine": machine(), **told}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
