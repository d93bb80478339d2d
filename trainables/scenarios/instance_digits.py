"""Instance-incremental digits: the same ten classes throughout, each task brings more images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from spaces.clock import Clock
from trainables.scenarios.base import Increment, Scenario, Shape, Split, Stream
from trainables.scenarios.digits import (
    CLASSES,
    INPUTS,
    SHAPE,
    TrainSize,
    ValidationSize,
    splits,
)


@Scenario.register
@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceDigits(Scenario):
    """A base task with half of the training images, then ``phases`` tasks that share the rest.

    The "new IIL" of KC-EMA (Nie et al., CVPR 2024, arXiv:2406.03065, section 5.1): a deployed
    model is to become better from new images of the classes that it knows, without the old ones.
    All tasks are validated on the same images and tested on the same images: accuracy on them is
    what should rise (PP). The probe ``base`` is the training set of the base task: forgetting (F)
    is the drop of accuracy on it.

    Half of ``train`` makes the base set, as in the paper, rounded down; the rest is parted evenly,
    the first tasks having one image more where it does not come out even. Every set has its share
    of each class as far as its size allows, where the paper parts at random. The base task lasts
    ``base_steps`` optimizer steps, each phase ``steps``. Ten phases are the paper's; the sizes and
    steps are ours, for 1,797 images instead of 60,000 (CIFAR-100: a base of 25,000, phases of
    2,500). Another ``seed`` is another choice of the base set and another order of the rest.
    """

    phases: Annotated[int, Field(ge=1, le=20)] = 10
    base_steps: Annotated[int, Field(ge=1)] = 300
    steps: Annotated[int, Field(ge=1)] = 50
    train: TrainSize = 1200
    validation: ValidationSize = 300
    seed: Annotated[int, Field(ge=0)] = 0
    kind: Literal["instance_digits"] = "instance_digits"

    def clock(self) -> Clock:
        ends = [self.base_steps + phase * self.steps for phase in range(self.phases + 1)]
        return Clock(steps=ends[-1], task_starts=(0, *ends[:-1]))

    def shape(self) -> Shape:
        return SHAPE

    def increment(self) -> Increment:
        return "instance"

    def stream(self) -> Stream:
        train, validation, test = splits(
            train=self.train, validation=self.validation, seed=self.seed
        )
        tasks = self.phases + 1
        sets = _parted(train, self.phases)
        return Stream(
            clock=self.clock(),
            classes=CLASSES,
            inputs=INPUTS,
            train=sets,
            validation=(validation,) * tasks,
            test=(test,) * tasks,
            probes={"base": sets[0]},
        )


def _parted(train: Split, phases: int) -> tuple[Split, ...]:
    """The base set and those of the phases: stretches of ``train``, in which classes alternate."""
    base, rest = len(train) // 2, len(train) - len(train) // 2
    least, more = divmod(rest, phases)
    edges = [base + phase * least + min(phase, more) for phase in range(phases + 1)]
    return tuple(train.only(slice(start, end)) for start, end in pairwise([0, *edges]))
