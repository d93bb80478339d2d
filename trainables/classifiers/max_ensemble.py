"""The more certain of a student and its average (LAE: Gao et al., arXiv:2303.10070)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor

from trainables.classifiers.base import Classifier

if TYPE_CHECKING:
    from trainables.learners import Learner
    from trainables.scenarios.base import Split


@Classifier.register
@dataclass(frozen=True, kw_only=True, slots=True)
class MaxEnsemble(Classifier):
    """log max(softmax(student), softmax(average)), class by class: not their mean. LAE, eq. 5.

    The online expert is the student, the offline expert whichever average is deployed: every one of
    the study's ``averagers`` is ensembled with its own student. ``experts: body`` has both answer by the
    student's last layer, as LAE, whose experts are adapters under one head; ``all`` has
    each answer by its own. The student itself is judged alone. The maxima do not sum to 1;
    measures of probabilities normalise them.

    LAE beside this: strategy ``local``, an ``ema`` of momentum 0.9999 that begins with the second
    task, and ``body_rate: {kind: thawed, share: 0.6}``.
    """

    paired: ClassVar[bool] = True
    experts: Literal["body", "all"] = "body"
    kind: Literal["max_ensemble"] = "max_ensemble"

    def judged(self, learner: Learner, rows: Tensor, students: Tensor) -> Tensor:
        offline = rows
        if self.experts == "body":
            offline = students.clone()
            offline[:, learner.body] = rows[:, learner.body]
            # Running statistics are of the body, though they stand behind the last layer.
            offline[:, learner.layout.carried] = rows[:, learner.layout.carried]
        return torch.cat([students, offline], dim=1)

    def answers(
        self, learner: Learner, seen: Sequence[Split], rows: Tensor, x: Tensor, mask: Tensor | None
    ) -> Tensor:
        del seen
        each = (learner.answers(half.contiguous(), x, mask) for half in rows.chunk(2, dim=1))
        online, offline = (answers.log_softmax(-1) for answers in each)
        return torch.maximum(online, offline)
