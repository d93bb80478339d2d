"""Agreement with what a teacher's last layer is given (feature distillation; FitNets: arXiv:1412.6550)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

from torch import Tensor
from torch.nn.functional import normalize

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from trainables.averagers import Averager
from trainables.averagers.previous import Previous
from trainables.distillation import Tasks, taught
from trainables.lessons import Lesson
from trainables.terms.base import Term


@Term.register
@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureAgreement(Term):
    """weight times the mean over samples of ||phi_teacher(x) - phi_student(x)||^2.

    phi are the features that the last layer is given, as they are or (``normalised``) each sample's
    scaled to length 1, where the value is 2 (1 - cosine). Raw features make the value grow with their
    number and size, so that a weight does not carry over to another model. The weight's
    default is ours: papers differ in what they pool and normalise.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"later"})
    teacher: Averager = Previous()
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=1.0)
    features: Literal["raw", "normalised"] = "normalised"
    tasks: Tasks = "later"
    kind: Literal["feature_agreement"] = "feature_agreement"

    def value(self, lesson: Lesson) -> Tensor:
        mine = self._seen(lesson.features(lesson.student, lesson.batch.x))
        aim = self._seen(lesson.features(lesson.companions["teacher"], lesson.batch.x)).detach()
        apart = (mine - aim).square().sum(-1).mean()
        return taught(lesson, self.tasks) * lesson.now["weight"] * apart

    def _seen(self, features: Tensor) -> Tensor:
        flat = features.flatten(1)
        return normalize(flat, dim=-1, eps=1e-6) if self.features == "normalised" else flat
