"""Continual learning the plain way: one module, ``torch.optim.SGD``, ``autograd``, a method's few hooks.

Shares with the cohort the stream, the first weights, the order of the batches and, where a method
draws samples or noise, what was drawn. Slow and literal: one sample at a time.
"""

from __future__ import annotations

import copy
import math

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from trainables.seeds import generator

SEED = 3


class Method:
    """Plain training; the methods below change a line of it each."""

    def __init__(self):
        self.previous = None  # the module at the end of the task before

    def loss(self, model, x, y):
        return cross_entropy(model(x), y)

    def penalty(self, model):
        return 0.0

    def before_step(self, model, x, y):
        """May change the weights."""

    def after_backward(self, model, x):
        """May change the gradients."""

    def after_step(self, model, before, gradients):
        """What a step did; ``gradients`` are those of ``loss`` alone."""

    def after_task(self, model, split):
        self.previous = copy.deepcopy(model)


def train(method, stream, model, *, batch, lr, body_rate=1.0):
    """The module after the stream."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    batches = stream.batch_indices(seed=SEED, size=batch)
    method.steps = 0
    for task, (split, order) in enumerate(zip(stream.train, batches, strict=True)):
        method.task, method.new = task, sorted(set(split.y.tolist()))
        method.old = sorted({int(y) for s in stream.train[:task] for y in s.y})
        method.anchor = copy.deepcopy(model)
        for chosen in order:
            x, y = split.x[chosen], split.y[chosen]
            method.before_step(model, x, y)
            before = [p.detach().clone() for p in model.parameters()]
            own = torch.autograd.grad(method.loss(model, x, y), list(model.parameters()))
            optimizer.zero_grad()
            (method.loss(model, x, y) + method.penalty(model)).backward()
            method.after_backward(model, x)
            optimizer.step()
            slow_body(model, before, body_rate)
            method.after_step(model, before, own)
            method.steps += 1
        method.after_task(model, split)
    return model


@torch.no_grad()
def slow_body(model, before, rate):
    for old, p in list(zip(before, model.parameters(), strict=True))[:-2]:
        p.copy_(old + rate * (p - old))


def some(split, task, samples):
    """The samples that a task's importances are the means over."""
    rng = generator("slopes", SEED, task)
    chosen = torch.randperm(len(split), generator=rng)[:samples]
    return split.x[chosen], split.y[chosen]


class Penalised(Method):
    """weight / 2 sum Omega (theta - anchor)^2."""

    def __init__(self, weight):
        super().__init__()
        self.weight, self.omegas = weight, None

    def penalty(self, model):
        if self.omegas is None:
            return 0.0
        pairs = zip(model.parameters(), self.previous.parameters(), self.omegas, strict=True)
        return self.weight / 2 * sum((o * (p - a.detach()) ** 2).sum() for p, a, o in pairs)

    def after_task(self, model, split):
        found = self.importance(model, split)
        self.omegas = (
            found
            if self.omegas is None
            else [self.keep * o + f for o, f in zip(self.omegas, found, strict=True)]
        )
        super().after_task(model, split)

    keep = 1.0


class Ewc(Penalised):
    def __init__(self, weight, keep, samples):
        super().__init__(weight)
        self.keep, self.samples = keep, samples

    def importance(self, model, split):
        x, y = some(split, self.task, self.samples)
        total = [torch.zeros_like(p) for p in model.parameters()]
        for xi, yi in zip(x, y, strict=True):
            for share, label in self.labels(model, xi, int(yi)):
                told = log_softmax(model(xi[None]), -1)[0, label]
                slopes = torch.autograd.grad(told, list(model.parameters()))
                total = [t + share * g**2 for t, g in zip(total, slopes, strict=True)]
        return [t / len(x) for t in total]

    def labels(self, model, x, y):
        return [(1.0, y)]


class TrueEwc(Ewc):
    def labels(self, model, x, y):
        return [(float(p), c) for c, p in enumerate(softmax(model(x[None]).detach(), -1)[0])]


class Mas(Ewc):
    def importance(self, model, split):
        x, _ = some(split, self.task, self.samples)
        total = [torch.zeros_like(p) for p in model.parameters()]
        for xi in x:
            slopes = torch.autograd.grad((model(xi[None]) ** 2).sum(), list(model.parameters()))
            total = [t + g.abs() for t, g in zip(total, slopes, strict=True)]
        return [t / len(x) for t in total]


class Si(Penalised):
    def __init__(self, weight, damping):
        super().__init__(weight)
        self.damping, self.path = damping, None

    def after_step(self, model, before, gradients):
        moved = [p.detach() - b for p, b in zip(model.parameters(), before, strict=True)]
        each = [-g * m for g, m in zip(gradients, moved, strict=True)]
        self.path = (
            each if self.path is None else [a + b for a, b in zip(self.path, each, strict=True)]
        )

    def importance(self, model, split):
        moved = [
            p.detach() - a.detach()
            for p, a in zip(model.parameters(), self.anchor.parameters(), strict=True)
        ]
        found = [
            torch.relu(w) / (m**2 + self.damping) for w, m in zip(self.path, moved, strict=True)
        ]
        self.path = None
        return found


class Lwf(Method):
    """Old classes at a temperature, as Li & Hoiem; current classes by cross-entropy over all."""

    def __init__(self, weight, temperature):
        super().__init__()
        self.weight, self.temperature = weight, temperature

    def loss(self, model, x, y):
        own = self.learn(model, x, y)
        if self.previous is None:
            return own
        with torch.no_grad():
            told = softmax(self.previous(x)[:, self.old] / self.temperature, -1)
        mine = log_softmax(model(x)[:, self.old] / self.temperature, -1)
        apart = kl_div(mine, told, reduction="batchmean") * self.temperature**2
        return own + self.weight * apart

    def learn(self, model, x, y):
        return cross_entropy(model(x), y)


class LocalLwf(Lwf):
    """The same with current classes by cross-entropy among themselves."""

    def learn(self, model, x, y):
        places = torch.tensor([self.new.index(int(label)) for label in y])
        return cross_entropy(model(x)[:, self.new], places)


class Refreshed(Ewc):
    """Unlearns before each step, guided by the Fisher information; no penalty."""

    def __init__(self, *, rate, noise, damping, keep, samples):
        super().__init__(0.0, keep, samples)
        self.rate, self.noise, self.damping = rate, noise, damping

    def before_step(self, model, x, y):
        parameters = list(model.parameters())
        slopes = torch.autograd.grad(cross_entropy(model(x), y), parameters)
        count = sum(p.numel() for p in parameters)
        drawn = torch.randn(count, generator=generator("refresh", SEED, self.steps))
        drawn = torch.split(drawn, [p.numel() for p in parameters])
        omegas = self.omegas or [torch.zeros_like(p) for p in parameters]
        for p, g, n, omega in zip(parameters, slopes, drawn, omegas, strict=True):
            away = self.rate / (1 + self.damping * omega)
            p.data += away * g + self.noise * (2 * away) ** 0.5 * n.view_as(p)


class Gated(Method):
    """Only the hidden units of a perceptron that answer most are trained."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def after_backward(self, model, x):
        h = x
        for layer in list(model)[:-1]:
            h = layer(h)
            if not isinstance(layer, torch.nn.Linear):
                continue
            sizes = h.detach().abs().mean(0)
            most = math.ceil(self.share * len(sizes))
            closed = sizes < sizes.sort(descending=True).values[most - 1]
            layer.weight.grad[closed] = 0
            layer.bias.grad[closed] = 0


class Frozen(Method):
    """The body is not trained for the first ``share`` of each later task."""

    def __init__(self, share, steps):
        super().__init__()
        self.share, self.of_task = share, steps

    def after_backward(self, model, x):
        if self.task and self.steps % self.of_task < round(self.share * self.of_task):
            for p in list(model.parameters())[:-2]:
                p.grad = None


class Aligned(Method):
    """New classes' rows of the last layer made as long as the old ones', after each task."""

    def after_task(self, model, split):
        head = model[-1].weight.data
        if self.old:
            length = {c: float(head[c].norm()) for c in range(len(head))}
            old = sum(length[c] for c in self.old) / len(self.old)
            new = sum(length[c] for c in self.new) / len(self.new)
            for c in self.new:
                head[c] *= old / new
        super().after_task(model, split)


class Calibrated(Method):
    """The last layer is trained on Gaussian features of every class met, after each later task."""

    def __init__(self, *, steps, samples, lr, temperature):
        super().__init__()
        self.steps_, self.samples, self.lr, self.temperature = steps, samples, lr, temperature
        self.known = {}

    def after_task(self, model, split):
        with torch.no_grad():
            features = model[:-1](split.x)
        for c in self.new:
            own = features[split.y == c]
            spread = torch.cov(own.T) + 1e-4 * torch.eye(own.shape[1])
            self.known[c] = own.mean(0), torch.linalg.cholesky(spread)
        if self.task > 0:
            self.calibrate(model[-1], features.shape[1])
        super().after_task(model, split)

    def calibrate(self, head, width):
        rng = generator("alignment", SEED, self.task)
        classes = sorted(self.known)
        for step in range(self.steps_):
            noise = torch.randn(head.out_features, self.samples, width, generator=rng)
            loss = 0.0
            for place, c in enumerate(classes):
                mean, root = self.known[c]
                for z in noise[c]:
                    logits = head(mean + root @ z)[classes]
                    told = log_softmax(logits / (self.temperature * logits.norm()), -1)[place]
                    loss -= told / (self.samples * len(classes))
            slopes = torch.autograd.grad(loss, [head.weight, head.bias])
            rate = self.lr * (1 + math.cos(math.pi * step / self.steps_)) / 2
            for p, g in zip(head.parameters(), slopes, strict=True):
                p.data -= rate * g


class Momentum(Method):
    """Several exponential teachers from the first step on."""

    def __init__(self, weight, temperature, momenta):
        super().__init__()
        self.weight, self.temperature, self.momenta = weight, temperature, momenta
        self.teachers = None

    def before_step(self, model, x, y):
        if self.teachers is None:
            self.teachers = [copy.deepcopy(model) for _ in self.momenta]

    def loss(self, model, x, y):
        mine = log_softmax(model(x) / self.temperature, -1)
        apart = 0.0
        for teacher in self.teachers:
            told = softmax(teacher(x).detach() / self.temperature, -1)
            apart += kl_div(mine, told, reduction="batchmean") * self.temperature**2
        return cross_entropy(model(x), y) + self.weight * apart / len(self.teachers)

    @torch.no_grad()
    def after_step(self, model, before, gradients):
        for tau, teacher in zip(self.momenta, self.teachers, strict=True):
            for t, p in zip(teacher.parameters(), model.parameters(), strict=True):
                # The averages of this project take in the whole first student.
                t.copy_(p if self.steps == 0 else tau * t + (1 - tau) * p)


class Features(Method):
    """Distance of features or logits to those of the previous model."""

    def __init__(self, weight, apart):
        super().__init__()
        self.weight, self.apart = weight, apart

    def loss(self, model, x, y):
        own = cross_entropy(model(x), y)
        return (
            own
            if self.previous is None
            else own + self.weight * self.apart(model, self.previous, x)
        )


def raw_features(model, previous, x):
    return ((model[:-1](x) - previous[:-1](x).detach()) ** 2).sum(-1).mean()


def unit_features(model, previous, x):
    mine, aim = model[:-1](x), previous[:-1](x).detach()
    cosines = (mine * aim).sum(-1) / (mine.norm(dim=-1) * aim.norm(dim=-1))
    return (2 - 2 * cosines).mean()


def logits(model, previous, x):
    return ((model(x) - previous(x).detach()) ** 2).mean()
