"""Branches the plain way: near the end of a task ``copy.deepcopy`` of all there is, trained on its own."""

from __future__ import annotations

import copy
import math

import torch
from torch.nn.functional import cross_entropy, mse_loss

from trainables.seeds import generator


def exponential(x, ratio):
    return ratio**x


def linear(x, ratio):
    return 1 - (1 - ratio) * x


def cosine(x, ratio):
    return ratio + (1 - ratio) * (1 + math.cos(math.pi * x)) / 2


FALLS = {"exponential": exponential, "linear": linear, "cosine": cosine}


class Learner:
    """A module, its optimizer and its mean teacher, which starts as the first student."""

    def __init__(self, model, optimizer, strategy):
        self.model, self.optimizer = model, optimizer
        self.teacher = copy.deepcopy(model)
        self.agreement = strategy.agreement.value
        self.momentum, self.steps = strategy.teacher.momentum.value, 0

    def step(self, x, y, lr):
        self.optimizer.param_groups[0]["lr"] = lr
        with torch.no_grad():
            aim = self.teacher(x).softmax(-1)
        logits = self.model(x)
        loss = cross_entropy(logits, y) + self.agreement * mse_loss(logits.softmax(-1), aim)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        keep, self.steps = self.momentum if self.steps else 0.0, self.steps + 1
        with torch.no_grad():
            for old, new in zip(self.teacher.parameters(), self.model.parameters(), strict=True):
                old.copy_(keep * old + (1 - keep) * new)

    def flat(self):
        return torch.nn.utils.parameters_to_vector(self.model.parameters()).detach().clone()


def train(recipe, stream, optimizer, *, seed, lr):
    """Flat weights of the trunk and of the branch at the end of each task."""
    model = recipe.model.build(stream.inputs, stream.classes, generator("weights", seed))
    trunk = Learner(model, optimizer(model.parameters()), recipe.strategy)
    batches = stream.batch_indices(seed=seed, size=recipe.batch)
    ends = []
    for split, order in zip(stream.train, batches, strict=True):
        last = round(recipe.branch.length * len(order))
        for i, chosen in enumerate(order):
            x, y = split.x[chosen], split.y[chosen]
            if i == len(order) - last:
                branch = copy.deepcopy(trunk)
            trunk.step(x, y, lr)
            if (j := i - (len(order) - last) + 1) > 0:
                rate = FALLS[recipe.branch.fall](j / last, recipe.branch.ratio)
                branch.step(x, y, lr * rate)
        ends.append((trunk.flat(), branch.flat()))
    return ends
