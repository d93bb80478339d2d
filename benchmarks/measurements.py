"""What is measured: seconds and memory of one way of running, and how far two ways agree."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

Rows: TypeAlias = dict[int, list[tuple[float, ...]]]
"""Of each candidate, for each task, the accuracy on the validation sets of the tasks so far."""

MIB = 2**20
LIBRARIES = ("torch", "numpy", "ray", "optuna")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One way of running one study once.

    ``candidates`` were run, all of them timed, in ``seconds`` of wall clock; ``start_up`` seconds
    (imports, Ray, actors, warm-ups) went before. ``peaks`` are the largest resident memories, MiB.
    ``rows`` is what the candidates scored.
    """

    way: str
    study: str
    model: str
    candidates: int
    students: int
    jobs: int
    seconds: float
    start_up: float
    peaks: dict[str, float]
    rows: Rows = field(repr=False)

    @property
    def rate(self) -> float:
        """Candidates a second."""
        return self.candidates / self.seconds

    def told(self) -> dict[str, Any]:
        """Everything but the rows, for JSON."""
        fields = {k: v for k, v in asdict(self).items() if k != "rows"}
        return fields | {"candidates_per_second": self.rate}


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How far the accuracies of two ways agree, over the candidates that both ran.

    ``apart`` of the ``accuracies`` differ at all; ``most`` and ``mean`` are absolute differences.
    """

    way: str
    beside: str
    candidates: int
    accuracies: int
    apart: int
    most: float
    mean: float


def agreement(a: Measurement, b: Measurement) -> Agreement:
    """Raises ValueError if they share no candidate, or one was evaluated on other tasks."""
    shared = sorted(a.rows.keys() & b.rows.keys())
    apart = [
        abs(x - y)
        for c in shared
        for one, other in zip(a.rows[c], b.rows[c], strict=True)
        for x, y in zip(one, other, strict=True)
    ]
    if not apart:
        raise ValueError(f"{a.way} and {b.way} ran no candidate in common")
    return Agreement(
        way=a.way,
        beside=b.way,
        candidates=len(shared),
        accuracies=len(apart),
        apart=sum(d > 0 for d in apart),
        most=max(apart),
        mean=sum(apart) / len(apart),
    )


def peak(pid: int | str = "self") -> float:
    """The largest resident memory that a process has had so far, MiB; NaN where Linux is not."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:  # it ended meanwhile, or this is another system
        return float("nan")
    lines = (line.split() for line in text.splitlines())
    return next((int(line[1]) / 1024 for line in lines if line[0] == "VmHWM:"), float("nan"))


class Peaks:
    """The peak of the largest Ray worker that this process has started, looked up now and then."""

    SECONDS_BETWEEN_LOOKS = 0.5

    def __init__(self) -> None:
        self.largest = 0.0
        self._looked = 0.0

    def look(self) -> None:
        """Looks, unless it has just done so."""
        if time.monotonic() - self._looked < self.SECONDS_BETWEEN_LOOKS:
            return
        self.largest = max([self.largest, *map(peak, _workers(os.getpid()))])
        self._looked = time.monotonic()


def machine() -> dict[str, Any]:
    """Where this runs, on what, and how busy it was: processes running, mean of the last minute."""
    return {
        "cpu": _processor(),
        "cores": _cores(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES if find_spec(name)},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _cores() -> int | None:
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return os.cpu_count() if affinity is None else len(affinity(0))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def _workers(driver: int) -> list[int]:
    """Ray's workers under the raylet that ``driver`` started."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            pid = int(line.parent.name)
            if line.read_bytes().startswith(b"ray::") and _parent(_parent(pid)) == driver:
                found.append(pid)
        except (OSError, ValueError):  # it ended meanwhile
            continue
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
