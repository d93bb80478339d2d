"""CLS-ER: replay between a fast and a slow average of the student (Arani et al., arXiv:2201.12604)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from spaces.bounds import Within
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.schedules.mean_ramp import MeanRamp
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.averagers.stochastic import Stochastic
from trainables.lessons import Lesson
from trainables.losses import joined_cross_entropy, log_likelihoods
from trainables.strategies.base import Strategy
from trainables.terms import Term
from trainables.terms.base import added


def _by_chance(probability: float, seed: int) -> Averager:
    return Stochastic(
        averager=Ema(momentum=MeanRamp(limit=Constant(value=0.999))),
        probability=Constant(value=probability),
        seed=seed,
    )


@Strategy.register
@dataclass(frozen=True, kw_only=True, slots=True)
class ClsEr(Strategy):
    """Replay's loss plus weight mean_{r, c} (student(x_r)_c - chosen(x_r)_c)^2 (eq. 3), plus ``terms``.

    For each sample shown again ``chosen`` is the ``stable`` average if it gives its label a higher
    probability than the ``plastic`` one, or else the plastic; nothing while none is remembered.

    Defaults are those of the authors' code: EMAs of momentum min(1 - 1 / (t + 1), 0.999), the
    plastic taken in with a chance of 0.9 and the stable of 0.7. Tuned there for split CIFAR-10: weight 0.15,
    chances 0.3 and 0.1 with 200 places, 0.9 and 0.1 with 500, 1 and 0.8 with 5120; for split MNIST weight 2,
    limits 0.99, chances 1 and 0.8 or 0.9. Their averages begin with the student as drawn, ours
    with that after the first step. Deployed is the stable one: give the study the same under ``averagers``.
    """

    wants: ClassVar[frozenset[str]] = frozenset({"replay"})
    draw_count: ClassVar[int] = 1
    plastic: Averager = _by_chance(0.9, seed=0)
    stable: Averager = _by_chance(0.7, seed=1)
    weight: Annotated[Schedule, Within(0, inf)] = Constant(value=0.1)
    terms: tuple[Term, ...] = ()
    kind: Literal["cls_er"] = "cls_er"

    def loss(self, lesson: Lesson) -> Tensor:
        replay = lesson.batch.replay
        assert replay is not None
        own, past = lesson.joined(lesson.student)
        plastic, stable = (
            lesson.recalled(lesson.companions[name]).detach() for name in ("plastic", "stable")
        )
        surer = log_likelihoods(stable, replay.y[0]) > log_likelihoods(plastic, replay.y[0])
        chosen = torch.where(surer.unsqueeze(-1), stable, plastic)
        apart = (replay.share[0] * (past - chosen).square().mean(-1)).sum()
        loss = joined_cross_entropy(own, past, lesson.batch) + lesson.now["weight"] * apart
        return added(loss, self.terms, lesson)
