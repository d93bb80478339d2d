"""Feedback into the student the plain way: flat weights, ``torch.optim.SGD``, a few lines a method."""

from __future__ import annotations

import copy

import torch
from torch.nn.functional import cross_entropy, mse_loss
from torch.nn.utils import parameters_to_vector, vector_to_parameters

BATCH, LR, MOMENTUM, SEED, AGREEMENT = 8, 0.05, 0.8, 0, 3.0


class Method:
    """Plain training. ``weights`` are the student's, flat, which a hook may replace."""

    resets = False
    """Whether the optimizer forgets where a hook replaced them."""
    resets_at_task = False
    teacher = None

    def begin(self, weights):
        """The stream begins."""

    def before_task(self, task, weights):
        return weights

    def after_step(self, at, weights, gradient, before):
        """``at`` is the task, the step within it (from 1), its length, the steps done in all."""
        return weights

    def after_task(self, task, weights):
        """Once all is done."""


def train(method, stream, model):
    """The student after each task, flat."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    ends, done = [], 0
    method.begin(_flat(model))

    def put(weights):
        if weights is not None and not torch.equal(weights, _flat(model)):
            vector_to_parameters(weights.clone(), model.parameters())
            if method.resets:
                optimizer.state.clear()

    order = stream.batch_indices(seed=SEED, size=BATCH)
    for task, (split, batches) in enumerate(zip(stream.train, order, strict=True)):
        if method.resets_at_task:
            optimizer.state.clear()
        put(method.before_task(task, _flat(model)))
        for s, chosen in enumerate(batches, start=1):
            before, done = _flat(model), done + 1
            x, y = split.x[chosen], split.y[chosen]
            loss = cross_entropy(model(x), y)
            if method.teacher is not None:
                guide = copy.deepcopy(model)
                vector_to_parameters(method.teacher.clone(), guide.parameters())
                aim = guide(x).softmax(-1).detach()
                loss = loss + AGREEMENT * mse_loss(model(x).softmax(-1), aim)
            optimizer.zero_grad()
            loss.backward()
            gradient = torch.cat([p.grad.flatten() for p in model.parameters()]).clone()
            optimizer.step()
            put(method.after_step((task, s, len(batches), done), _flat(model), gradient, before))
        method.after_task(task, _flat(model))
        ends.append(_flat(model))
    return ends


def _flat(model):
    return parameters_to_vector(model.parameters()).detach().clone()


class Sfa(Method):
    def __init__(self, p, beta):
        self.p, self.beta = p, beta

    def before_task(self, task, weights):
        self.anchor = weights
        return weights

    def after_step(self, at, weights, gradient, before):
        task, s, n, _ = at
        if task > 0 and (s % round(self.p * n) == 0 or s == n):
            return (1 - self.beta) * weights + self.beta * self.anchor
        return weights


class Coma(Sfa):
    """alpha is the weight of the new."""

    def __init__(self, alpha):
        self.alpha = alpha

    def after_step(self, at, weights, gradient, before):
        task, s, n, _ = at
        if task > 0 and s == n:
            return (1 - self.alpha) * self.anchor + self.alpha * weights
        return weights


class EachStep(Sfa):
    def __init__(self, share):
        self.share = share

    def after_step(self, at, weights, gradient, before):
        return weights + self.share * (self.anchor - weights)


class SwitchEma(Method):
    """Also Hare and Tortoise. The average begins with the first student."""

    def __init__(self, tau, every, resets):
        self.tau, self.every, self.resets = tau, every, resets

    def after_step(self, at, weights, gradient, before):
        done = at[-1]
        self.ema = weights if done == 1 else self.tau * self.ema + (1 - self.tau) * weights
        return self.ema if done % self.every == 0 else weights


class DeployedEma(SwitchEma):
    """The student is set to its average at the end of each task only."""

    def __init__(self, tau, *, resets=False):
        super().__init__(tau, 10**9, resets)

    def after_step(self, at, weights, gradient, before):
        super().after_step(at, weights, gradient, before)
        return self.ema if at[1] == at[2] else weights


class BegunByEma(DeployedEma):
    """The next task begins with the average, the end of this one is the student's."""

    def after_step(self, at, weights, gradient, before):
        super().after_step(at, weights, gradient, before)
        return weights

    def before_task(self, task, weights):
        return self.ema if task else weights


class Lookahead(Method):
    """Of the paper: slow weights, k fast steps from them, again."""

    def __init__(self, k, alpha, resets):
        self.k, self.alpha, self.resets = k, alpha, resets

    def begin(self, weights):
        self.slow = weights

    def after_step(self, at, weights, gradient, before):
        if at[-1] % self.k:
            return weights
        self.slow = self.slow + self.alpha * (weights - self.slow)
        return self.slow


class FromInitial(Method):
    def begin(self, weights):
        self.initial = weights

    def before_task(self, task, weights):
        return self.initial


class FromMeanOfEnds(Method):
    def __init__(self):
        self.ends = []

    def before_task(self, task, weights):
        return torch.stack(self.ends).mean(0) if task else weights

    def after_task(self, task, weights):
        self.ends.append(weights)


class Forgetful(Method):
    resets_at_task = True


class Ctp(Method):
    def __init__(self, first, later):
        self.first, self.later = first, later

    def begin(self, weights):
        self.teacher = weights

    def before_task(self, task, weights):
        if task:
            self.teacher = self.previous = weights
        return weights

    def after_step(self, at, weights, gradient, before):
        if at[0] == 0:
            self.teacher = self.first * self.teacher + (1 - self.first) * weights
        else:
            half = (1 - self.later) / 2
            self.teacher = self.later * self.teacher + half * weights + half * self.previous
        return weights


class Adaptive(Method):
    """The momentum whose horizon is ``share`` of the way from that of low to that of high."""

    def __init__(self, low, high, smoothing):
        self.low, self.high, self.smoothing = low, high, smoothing

    def begin(self, weights):
        self.teacher = weights

    def after_step(self, at, weights, gradient, before):
        share = self.share(weights, gradient, before)
        horizon = (1 - share) / (1 - self.low) + share / (1 - self.high)
        self.teacher = self.teacher + (weights - self.teacher) / horizon
        return weights


class ByGradientNoise(Adaptive):
    last, noise = None, 1.0

    def share(self, weights, gradient, before):
        cosine = 0.0
        if self.last is not None:
            cosine = max(0.0, float(torch.cosine_similarity(gradient, self.last, dim=0)))
        self.last = gradient
        self.noise = self.smoothing * self.noise + (1 - self.smoothing) * (1 - cosine)
        return self.noise


class ByDrift(Adaptive):
    length = None

    def __init__(self, low, high, smoothing, steps):
        super().__init__(low, high, smoothing)
        self.steps = steps

    def share(self, weights, gradient, before):
        step = float((weights - before).norm())
        old = step if self.length is None else self.length
        self.length = self.smoothing * old + (1 - self.smoothing) * step
        return self.steps / (self.steps + float((weights - self.teacher).norm()) / self.length)
