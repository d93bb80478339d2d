"""Each optimizer against its namesake in torch, gradient by gradient."""

from __future__ import annotations

import pytest
import torch

from spaces.schedules.constant import Constant
from spaces.schedules.cosine import Cosine
from spaces.schedules.linear import Linear
from tests.contracts.test_optimizers import CLOCK, moved
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.nesterov import Nesterov
from trainables.optimizers.sgd import Sgd

LR = Cosine(start=0.5, end=0.01)
RISE = Linear(start=0.1, end=0.95)  # torch forgets the gradient of a step with momentum 0
DECAY = Linear(start=0.3, end=0.0)
CASES = {
    "sgd": (
        Sgd(lr=LR, momentum=RISE, decay=DECAY),
        lambda p: torch.optim.SGD(p, lr=0.0),
        {"lr": LR, "momentum": RISE, "weight_decay": DECAY},
    ),
    "nesterov": (
        Nesterov(lr=LR, momentum=Constant(value=0.9), decay=DECAY),
        lambda p: torch.optim.SGD(p, lr=0.0, momentum=0.9, nesterov=True),
        {"lr": LR, "weight_decay": DECAY},
    ),
    "adamw": (
        Adamw(lr=LR, beta1=Constant(value=0.8), beta2=Constant(value=0.95), decay=DECAY),
        lambda p: torch.optim.AdamW(p, betas=(0.8, 0.95)),
        {"lr": LR, "weight_decay": DECAY},
    ),
}


@pytest.mark.parametrize("ours,make,schedules", CASES.values(), ids=CASES)
def test_moves_as_torch_does(ours, make, schedules):
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(1, 48, generator=rng)
    gradients = torch.randn(CLOCK.steps, 1, 48, generator=rng)
    weights = start.clone().requires_grad_()
    theirs = make([weights])
    for step, g in enumerate(gradients):
        for name, schedule in schedules.items():
            theirs.param_groups[0][name] = float(schedule.table(CLOCK)[step])
        weights.grad = g.clone()
        theirs.step()
    torch.testing.assert_close(moved([ours], start, gradients), weights.detach())


def test_adamw_debiases_betas_on_a_schedule():
    # With every gradient 1, m/c1 and v/c2 are 1 whatever the betas: each step is lr / (1 + eps).
    spec = Adamw(
        lr=Constant(value=0.1),
        beta1=RISE,
        beta2=Linear(start=0.5, end=0.9),
        decay=Constant(value=0.0),
    )
    out = moved([spec], torch.zeros(1, 16), torch.ones(CLOCK.steps, 1, 16))
    torch.testing.assert_close(out, torch.full((1, 16), -0.1 * CLOCK.steps))
