"""Room: how much memory a job may take, and how much its cohort would."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from search.aims import evaluation_of
from search.jobs import device_of
from search.sizes import bytes_of, size_of
from spaces.problems import SpecError
from trainables.devices import device_called
from trainables.footprints import FLOAT, footprint, rows, width
from trainables.recipes import program

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from search.plans import Fits
    from search.settings import Resources, Settings
    from search.studyfile import StudyFile
    from spaces.clock import Clock
    from trainables.averagers import Averager
    from trainables.devices import DeviceName
    from trainables.recipes import Recipe
    from trainables.scenarios import Scenario
    from trainables.snapshots import Snapshots

SHARE = 0.5
"""Of a device's memory, for the tensors that last. The rest is for what passes within a step
(gradients, activations), for Python and PyTorch themselves, and for others."""

CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says what a container may use, in its two versions."""


@dataclass(frozen=True, slots=True)
class Room:
    """``size`` bytes for the tensors of one job, None where nobody knows; ``why`` so many."""

    size: int | None
    why: str

    def __str__(self) -> str:
        return self.why if self.size is None else f"{size_of(self.size)} ({self.why})"


BOUNDLESS = Room(None, "without limit")


def room(file: Settings) -> Room:
    """What ``fold.memory`` says; if that is ``auto``, a share of the device's, measured here."""
    if file.fold.memory != "auto":
        return Room(bytes_of(file.fold.memory), "fold.memory")
    return measured(device_of(file), file.resources)


def measured(device: DeviceName, resources: Resources) -> Room:
    """``SHARE`` of all the memory that this machine's device has, divided by the jobs on it.

    Of all, not of what is free: that would cut a resumed study otherwise than the one that began.
    """
    try:
        kind = device_called(device).type
    except ValueError as error:  # it is a cluster that has one
        return Room(None, f"not known here: {error}")
    # What is no GPU of its own shares the machine's memory, Apple's too.
    total = torch.cuda.mem_get_info()[1] if kind == "cuda" else _ram()
    jobs = _sharing(resources.gpu, 1) if kind == "cuda" else _sharing(resources.cpu, _cores())
    whose = "of the GPU's" if kind == "cuda" else "of this machine's"
    among = "" if jobs == 1 else f", among {jobs} jobs"
    return Room(int(SHARE * total / jobs), f"{SHARE:.0%} {whose} {size_of(total)}{among}")


def _sharing(wants: float, have: float) -> int:
    """How many jobs are at work at once where ``have`` is and each ``wants`` of it."""
    return max(1, int(have / wants)) if wants else 1


def _cores() -> int:
    return os.cpu_count() or 1


def _ram() -> int:
    """Bytes of the machine, or of the container that this is."""
    said = [path.read_text().strip() for path in CGROUPS if path.exists()]
    limits = [int(limit) for limit in said if limit.isdigit()]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *limits])


class Scales:
    """Weighs cohorts on a scenario, each program once: the values of its knobs weigh nothing.

    A job has two ``cohorts`` if its members have twins.
    """

    def __init__(
        self, scenario: Scenario, snapshots: Snapshots | None = None, *, cohorts: int = 1
    ) -> None:
        self._scenario, self._snapshots, self._cohorts = scenario, snapshots, cohorts
        self._clock = scenario.clock()
        self._known: dict[tuple[Hashable, int, int], int] = {}

    @classmethod
    def of(cls, file: StudyFile) -> Scales:
        """Those of a study's jobs."""
        twins = evaluation_of(file).of_twins
        return cls(file.scenario, file.snapshots, cohorts=2 if twins else 1)

    def weigh(self, recipe: Recipe, members: int, averages: int) -> int:
        """Bytes of a cohort of ``members`` like ``recipe``, each with so many rows of ``averages``.

        And those of the snapshots of one task, if any are kept.
        """
        key = program(recipe), members, averages
        if key not in self._known:
            stream = self._scenario.stream()
            cohort = footprint(
                recipe, stream, members=members, averages=averages, cohorts=self._cohorts
            )
            kept = max(self._snapped(stream.clock)) * members
            self._known[key] = cohort + kept * width(recipe.model, stream) * FLOAT
        return self._known[key]

    def left(self, recipe: Recipe) -> int:
        """Bytes on the disk that a student like ``recipe`` leaves if it is trained to the end."""
        stream = self._scenario.stream()
        return sum(self._snapped(stream.clock)) * width(recipe.model, stream) * FLOAT

    def rows(self, averager: Averager) -> int:
        """The rows that ``averager`` takes: one, unless its windows overlap or it merges."""
        return rows(averager, self._clock)

    def _snapped(self, clock: Clock) -> list[int]:
        return [0] if self._snapshots is None else self._snapshots.rows(clock)

    def fits(self, held: Room, most: Mapping[Hashable, int]) -> Fits:
        """What ``held`` has room for; ``most`` limits the members of programs."""

        def fits(recipe: Recipe, members: int, averages: int) -> bool:
            if most and members > most.get(program(recipe), members):
                return False
            return held.size is None or self.weigh(recipe, members, averages) <= held.size

        return fits


def check_room(file: StudyFile, held: Room) -> None:
    """Raises SpecError if there is a student that, with its averages, no job has room for."""
    scales = Scales.of(file)
    fits, averages = scales.fits(held, {}), most_rows(file, scales)
    recipes = (recipe for recipe, _ in file.corners())
    problems = [
        f"{file.source}: fold: a student ({_kind(recipe.model)}, {_kind(recipe.strategy)}) "
        f"with its {_told(file.fold.averages, averages)} takes "
        f"{size_of(scales.weigh(recipe, 1, averages))}, where a "
        f"job may hold {held}; lower fold.averages or allow more fold.memory"
        for recipe in recipes
        if not fits(recipe, 1, averages)
    ]
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))


def most_rows(file: StudyFile, scales: Scales) -> int:
    """The rows of a student's averages if all are of the kind that takes most, at its corners."""
    averagers = {averager for _, averager in file.corners()}
    return file.fold.averages * max(map(scales.rows, averagers), default=1)


def _told(averages: int, rows: int) -> str:
    return f"{averages} averages" + ("" if rows == averages else f" (up to {rows} rows)")


def _kind(spec: Any) -> str:
    kind: str = spec.kind
    return kind
