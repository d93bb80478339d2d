"""Settings: all that a study file says besides its space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from search.budgets import Budget
from search.claims import Claim
from search.goals import Goals
from search.repeats import Repeats
from search.rungs import Rungs
from search.samplers import Sampler
from search.samplers.tpe import Tpe
from search.sizes import bytes_of
from search.warm_starts import WarmStart
from spaces.constraints import UNCONSTRAINED, Constraints
from spaces.objectives import Objectives
from spaces.preferences import INDIFFERENT, Preferences
from spaces.specs import Spec
from trainables.evaluation import Looks
from trainables.scenarios import Scenario
from trainables.snapshots import Snapshots

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold(Spec):
    """``members`` students are asked for at a time and may share a job, each with ``averages``.

    Fewer share one where they would take more than ``memory``: a size such as 4GiB, or ``auto``,
    a share of the device's (``search/room.py``).
    """

    members: Annotated[int, Field(ge=1, le=4096)] = 8
    averages: Annotated[int, Field(ge=1, le=4096)] = 8
    memory: str = "auto"

    def __post_init__(self) -> None:
        try:
            _ = self.memory == "auto" or bytes_of(self.memory)
        except ValueError as error:
            raise ValueError(f"memory: auto is due, or {error}") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources(Spec):
    """What one job takes of its machine: cores and GPUs. Fractions share one."""

    cpu: Annotated[float, Field(gt=0, le=4096)] = 1
    gpu: Annotated[float, Field(ge=0, le=1024)] = 0

    def __post_init__(self) -> None:
        if self.gpu > 1 and self.gpu != int(self.gpu):
            raise ValueError(
                f"gpu: a fraction shares one GPU; beyond 1 it is whole, got {self.gpu}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(Spec):
    """All of a study but its space.

    ``constraints`` are bounds of metrics that a candidate on a front keeps; ``preferences`` the
    region of the front that is searched first. ``anchors`` are asked for before the sampler draws: knobs'
    values by name, or names of ``search/literature.py``. ``metrics`` are recorded besides the objectives and what every study records; ``evaluate`` adds
    accuracies between the ends of tasks, and the metrics that are of these. ``claims`` are judged by
    what was found, and decide nothing.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=100)]
    scenario: Scenario
    objectives: Objectives
    constraints: Constraints = UNCONSTRAINED
    preferences: Preferences = INDIFFERENT
    metrics: tuple[str, ...] = ()
    evaluate: Looks | None = None
    budget: Budget
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    sampler: Sampler = field(default_factory=Tpe)
    rungs: Rungs | None = None
    repeats: Repeats | None = None
    warm_start: WarmStart | None = None
    anchors: tuple[str | dict[str, Any], ...] = ()
    fold: Fold = Fold()
    snapshots: Snapshots | None = None
    resources: Resources = Resources()
    device: Device = "auto"
    tracking: str | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def goals(self) -> Goals:
        """What makes one outcome better than another."""
        return Goals(
            objectives=self.objectives,
            constraints=self.constraints,
            preferences=self.preferences,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Written(Settings):
    """What a file may say. The two that are searched are templates, the averagers as a list of them."""

    recipe: Any = field(default_factory=dict)
    averagers: Annotated[list[Any], Field(min_length=1)]
