"""Lessons to try strategies and terms on: a linear model, three classes, a memory that holds something."""

from __future__ import annotations

import torch

from spaces.bounds import PROBE
from trainables.averagers import Averager
from trainables.importances import Importance
from trainables.lessons import Lesson
from trainables.scenarios.base import Batch, Replay
from trainables.tables import specs_in, tables

CLASSES, INPUTS = 3, 8


def weights_of(seed):
    rng = torch.Generator().manual_seed(seed)
    return {"w": torch.randn(CLASSES, INPUTS, generator=rng)}


def forward(weights, x, mask):
    logits = x @ weights["w"].T
    return logits if mask is None else torch.where(mask, logits, -1e9)


def features(weights, x):
    return x * weights["w"].mean(0)


def batch(draws=2):
    rng = torch.Generator().manual_seed(5)
    replay = Replay(
        torch.randn(draws, 4, INPUTS, generator=rng),
        torch.arange(draws * 4).view(draws, 4) % CLASSES,
        torch.full((draws, 4), 0.25),
        stored=torch.randn(draws, 4, CLASSES, generator=rng),
    )
    return Batch(
        torch.randn(6, INPUTS, generator=rng),
        torch.arange(6) % CLASSES,
        later=torch.tensor(1.0),
        old=torch.tensor([True, False, False]),
        new=torch.tensor([False, True, True]),
        noise=torch.randn(6, INPUTS, generator=rng),
        replay=replay,
    )


def lesson_for(spec, student, companion, step=0):
    """As a cohort would show it to ``spec``, every companion being ``companion``."""
    now = {n: torch.tensor(t[step]).float() for n, t in tables(spec, PROBE).items()}
    paths = [*specs_in(spec, Averager), *specs_in(spec, Importance)]
    beside = dict.fromkeys(paths, companion)
    return Lesson(forward, features, student, beside, batch(), now)
