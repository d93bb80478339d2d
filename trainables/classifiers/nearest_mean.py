"""The class whose mean feature is nearest (NMC; Mensink et al., 2013): the sanity baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from trainables.classifiers.base import Classifier

if TYPE_CHECKING:
    from trainables.learners import Learner
    from trainables.scenarios.base import Split


@Classifier.register
@dataclass(frozen=True, kw_only=True, slots=True)
class NearestMean(Classifier):
    """-||phi(x) - mean_c||^2 of the mean features of each class seen so far, phi frozen.

    Continual learning that learns nothing and forgets nothing: with features that never change the means
    are sums over the stream, whatever its order. So it goes with training that is switched
    off (``optimizer.lr: 0``) and is refused beside a head that is trained: what its averages do would be
    no sanity baseline, and means over old samples would be samples kept. Classes not met yet
    never win. In the midst of a task all of the task's samples count.
    """

    trained: ClassVar[bool] = False
    kind: Literal["nearest_mean"] = "nearest_mean"

    def answers(
        self, learner: Learner, seen: Sequence[Split], rows: Tensor, x: Tensor, mask: Tensor | None
    ) -> Tensor:
        y = torch.cat([split.y for split in seen])
        members = one_hot(y, learner.classes).T.to(x.dtype)
        counts = members.sum(-1, keepdim=True)
        met = counts.squeeze(-1) > 0
        means = learner.means(
            rows, torch.cat([split.x for split in seen]), members / counts.clamp(min=1)
        )
        return learner.nearest(rows, means, x, met if mask is None else met & mask)
