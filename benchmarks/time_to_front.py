"""Device-seconds until the front that plain Ray Tune with Optuna has after 200 candidates. Real runs.

    python benchmarks/time_to_front.py [--quick] [--seeds N] [--trials N] [--set a.b=value] [--json FILE]

For each seed, each way in a fresh process with a Ray of its own on all cores:

    plain       Ray Tune with OptunaSearch (TPE, FIFO, actors reused), one configuration a trial, each
                trained by an ordinary PyTorch loop to the end of the stream
    equipoise   the same study, space, objectives and seed with Equipoise's Ray engine, for as long
                as the plain way took, start-up included

Device-seconds are of training and evaluation in the workers, as the workers' clocks have them, of
all that had begun by then, to the end of its task (the plain way: its trial);
imports, Ray's start and the driver are not in them but in the wall clock, which begins when a way's
process is asked for. Told: how many times fewer device-seconds (and wall seconds) Equipoise needs
for the hypervolume that the plain way ends with; and both hypervolumes at equal wall time. A
hypervolume that is not reached in that time counts as no ratio at all, and is told. Neither way
writes to MLflow. About 20 minutes on 2 cores that do nothing else; --quick, one of 3 minutes, has 2
seeds and 40 trials. Kept after each seed (--json), and taken up again from there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.alone import in_fresh_process
from benchmarks.measurements import machine
from spaces.fronts import hypervolume

if TYPE_CHECKING:
    from search.studyfile import StudyFile

STUDY = "digits-frontier"
MANY = 100_000
"""More candidates than any of these searches comes to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """How a search went: after each ended candidate the hypervolume, and what it had cost so far."""

    candidates: int
    hypervolume: tuple[float, ...]
    device_seconds: tuple[float, ...]
    wall_seconds: tuple[float, ...]

    def first(self, worth: float) -> int | None:
        """The place where the hypervolume is ``worth`` or more; None if nowhere."""
        return next((i for i, h in enumerate(self.hypervolume) if h >= worth), None)


def plain(overrides: tuple[str, ...], trials: int, asked: float) -> Trace:
    """In a process of its own, which was ``asked`` for at that ``time.time``."""
    from benchmarks import plain_search  # noqa: PLC0415 - each process imports what it needs, on its clock
    from search import studyfile  # noqa: PLC0415 - likewise
    from search.engines import ray_tune  # noqa: PLC0415 - likewise

    file = studyfile.read(STUDY, overrides)
    with ray_tune.cluster(None), TemporaryDirectory() as folder:
        workers = ray_tune.slots(file.resources)
        told = plain_search.search(
            STUDY, overrides, trials=trials, workers=workers, asked=asked, folder=Path(folder)
        )
    return _trace(
        file,
        [(t.at, t.values) for t in told],
        [(t.at, t.seconds) for t in told],
        late=0.0,
        candidates=len(told),
    )


def equipoise(overrides: tuple[str, ...], until: float, asked: float) -> Trace:
    """For as long as ``until`` seconds after it was ``asked`` for."""
    from search import studyfile  # noqa: PLC0415 - see plain
    from search.engines import ray_tune  # noqa: PLC0415 - likewise
    from search.events import Measured, Opened, Outcome  # noqa: PLC0415 - likewise
    from search.history import History  # noqa: PLC0415 - likewise
    from search.ledger import Ledger, read  # noqa: PLC0415 - likewise
    from search.study import Study  # noqa: PLC0415 - likewise

    many = f"budget.candidates={MANY}"
    with ray_tune.cluster(None), TemporaryDirectory() as folder:
        left = f"budget.wall_seconds={max(1.0, asked + until - time.time()):.1f}"
        told = (*overrides, many, left)
        file = studyfile.read(STUDY, told)
        opened = Opened(name=file.name, text=file.text, overrides=told, source=file.source)
        began, directory = time.monotonic(), Path(folder, "study")
        late = time.time() - asked
        with Ledger.create(directory, opened) as ledger:
            study = Study(
                file,
                ledger,
                History(opened),
                lambda: time.monotonic() - began,
                ray_tune.room_there(file, None),
            )
            ray_tune.drive(study, lambda: None)
        events = list(read(directory))
    tasks: dict[float, float] = defaultdict(float)  # all that was told at once was trained at once
    for event in events:
        if isinstance(event, Measured):
            tasks[event.at] += event.seconds
    ended = [e for e in events if isinstance(e, Outcome)]
    return _trace(
        file,
        [
            (e.at, tuple(e.values[n] for n in file.objectives.names))
            for e in ended
            if e.state == "complete"
        ],
        list(tasks.items()),
        late=late,
        candidates=len(ended),
    )


def _trace(
    file: StudyFile,
    complete: list[tuple[float, tuple[float, ...]]],
    trained: list[tuple[float, float]],
    *,
    late: float,
    candidates: int,
) -> Trace:
    """Of what was ``complete`` when with which values, and ``trained`` until when in how many seconds.

    Their clock began ``late`` seconds after the process was asked for.
    """
    costs = file.objectives.costs([values for _, values in complete])
    began = np.array([at - seconds for at, seconds in trained])
    seconds = np.array([seconds for _, seconds in trained])
    reference = file.objectives.reference_cost
    return Trace(
        candidates=candidates,
        hypervolume=tuple(hypervolume(costs[: i + 1], reference) for i in range(len(costs))),
        device_seconds=tuple(float(seconds[began < at].sum()) for at, _ in complete),
        wall_seconds=tuple(late + at for at, _ in complete),
    )


def compared(seed: int, ours: Trace, theirs: Trace) -> dict[str, Any]:
    """One seed: what both had in the end, and where ours had what theirs ended with."""
    worth, wall = theirs.hypervolume[-1], theirs.wall_seconds[-1]
    at = ours.first(worth)
    by_then = [h for h, t in zip(ours.hypervolume, ours.wall_seconds, strict=True) if t <= wall]
    row: dict[str, Any] = {
        "seed": seed,
        "plain_hypervolume": worth,
        "plain_candidates": theirs.candidates,
        "plain_device_seconds": theirs.device_seconds[-1],
        "plain_wall_seconds": wall,
        "equipoise_hypervolume_at_equal_wall": by_then[-1] if by_then else 0.0,
        "equipoise_candidates": ours.candidates,
        "reached": at is not None,
    }
    if at is not None:
        row |= {
            "equipoise_device_seconds": ours.device_seconds[at],
            "equipoise_wall_seconds": ours.wall_seconds[at],
            "device_ratio": theirs.device_seconds[-1] / ours.device_seconds[at],
            "wall_ratio": wall / ours.wall_seconds[at],
        }
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians and quartiles over seeds; a ratio that there is none of counts as 0."""
    names = (
        "device_ratio",
        "wall_ratio",
        "plain_hypervolume",
        "equipoise_hypervolume_at_equal_wall",
    )
    found: dict[str, Any] = {"seeds": len(rows), "reached": sum(r["reached"] for r in rows)}
    for name in names:
        values = [r.get(name, 0.0) for r in rows]
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
        found[name] = {"median": median, "quartiles": [low, high], "worst": min(values)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, metavar="N")
    parser.add_argument("--trials", type=int, metavar="N", help="of the plain way (200)")
    parser.add_argument("--set", action="append", default=[], metavar="a.b=value", dest="settings")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    seeds = options.seeds or (2 if options.quick else 10)
    trials = options.trials or (40 if options.quick else 200)
    asked_for = {"study": STUDY, "trials": trials, "settings": options.settings}
    rows = _kept(options.json, asked_for)
    for seed in range(len(rows), seeds):
        overrides = (f"seed={seed}",)
        theirs: Trace = in_fresh_process(plain, overrides, trials, time.time())
        until = theirs.wall_seconds[-1]
        mine = (*overrides, *options.settings)
        ours: Trace = in_fresh_process(equipoise, mine, until, time.time())
        rows.append(compared(seed, ours, theirs))
        print(json.dumps(rows[-1]), flush=True)
        if options.json:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            found = {**asked_for, "machine": machine(), "at": at}
            _write(options.json, {**found, "summary": summary(rows), "seeds": rows})
    print(json.dumps(summary(rows), indent=1))


def _kept(file: Path | None, asked_for: dict[str, Any]) -> list[dict[str, Any]]:
    """What an interrupted call with the same settings has left."""
    if file is None or not file.exists():
        return []
    found = json.loads(file.read_text("utf-8"))
    same = all(found.get(name) == value for name, value in asked_for.items())
    return list(found["seeds"]) if same else []


def _write(file: Path, found: dict[str, Any]) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    beside.replace(file)


if __name__ == "__main__":
    main()
