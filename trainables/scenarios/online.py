"""Online: another scenario, in which every training sample is seen once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from trainables.scenarios.base import Scenario, Stream
from trainables.scenarios.wrapper import Wrapper


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Online(Wrapper):
    """A single pass through each task of ``of``, whose steps are the batches of that pass.

    Steps times batch may not be more than a task's training samples; this is an error when the
    batches are drawn. Samples that fill no batch are left unseen. With 240 samples a task, a batch
    of 10 goes with up to 24 steps.

    ``told`` says whether the learner knows when a task ends: by the convention of online
    continual learning it does not (``nothing``); some protocols tell it (``boundaries``), such as
    A-GEM's (Chaudhry et al., arXiv:1812.00420).

    A sample that recurs in a later task of ``of``, as in SCoLe, is seen once in each.
    """

    told: Literal["nothing", "boundaries"] = "nothing"
    kind: Literal["online"] = "online"

    def __post_init__(self) -> None:
        if self.told == "nothing" and self.of.increment() == "task":
            raise ValueError(
                "a task-incremental stream tells the task of every sample, got told: nothing "
                "(write told: boundaries, or make the stream class-incremental)"
            )
        if self.told == "boundaries" and not self.of.boundaries():
            raise ValueError(
                f"{self.of.kind} has no boundaries to be told, got told: boundaries "  # type: ignore[attr-defined]  # every kind has one
                "(write told: nothing)"
            )

    def once(self) -> bool:
        return True

    def boundaries(self) -> bool:
        return self.told == "boundaries"

    def stream(self) -> Stream:
        return replace(self.of.stream(), once=True, boundaries=self.boundaries())
