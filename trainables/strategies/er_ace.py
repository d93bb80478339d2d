"""Experience replay with asymmetric cross-entropy (ER-ACE: Caccia et al., arXiv:2104.05025, eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from trainables.lessons import Lesson
from trainables.losses import cross_entropy, log_likelihoods
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added

OUT = -1e9
"""The logit of a class that is not in the softmax."""


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ErAce(Strategy):
    """CE(batch; classes in the batch) + CE(shown again; all classes), plus ``terms``.

    The new classes' samples do not push down the logits of the old, which the replayed samples
    alone compare with one another and with the new. Each mean is over its own samples. The first
    softmax is the equation's (mammoth's also has the classes that were never met); the second has
    those too, unlike the equation's, since who is told no boundaries cannot leave them out.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"replay"})
    draw_count: ClassVar[int] = 1
    terms: tuple[Term, ...] = ()
    kind: Literal["er_ace"] = "er_ace"

    def loss(self, lesson: Lesson) -> Tensor:
        batch, replay = lesson.batch, lesson.batch.replay
        assert replay is not None
        own, past = lesson.joined(lesson.student)
        here = (batch.y.unsqueeze(1) == torch.arange(own.shape[1], device=own.device)).any(0)
        now = cross_entropy(torch.where(here, own, OUT), batch.y)
        then = (replay.share[0] * log_likelihoods(past, replay.y[0])).sum()
        return added(now - then, self.terms, lesson)
