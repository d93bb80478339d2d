"""One member that rehearses, the plain way: a module, a list of what is remembered, ``torch.optim.SGD``.

Shares with the cohort the specs, the first weights, the order of the batches, where a memory puts
what and the numbers that its draws are made of. What is remembered (inputs, labels, answers) it keeps itself.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss, softmax

from tests.oracles.training import _at, _follow, _masked, _tables
from trainables.memories.base import Arrivals
from trainables.seeds import generator


class Buffer:
    """Places filled in the order of their first sample; each holds x, y, the task's mask and logits."""

    def __init__(self, recipe, stream, seed, draws):
        order = stream.batch_indices(seed=seed, size=recipe.batch)
        sizes = [len(s) for s in stream.train]
        samples = torch.cat([o + sum(sizes[:k]) for k, o in enumerate(order)])
        labels = torch.cat([s.y for s in stream.train])[samples]
        task = torch.repeat_interleave(
            torch.arange(len(order)), torch.tensor(list(map(len, order)))
        )
        arrivals = Arrivals(samples, labels, task, stream.classes, len(order))
        self.places = recipe.memory.places(arrivals, generator("memory", seed))
        shape = len(samples), draws, recipe.memory.batch
        self.unit = torch.rand(shape, generator=generator("replay", seed), dtype=torch.float64)
        self.held = {}

    def draw(self, step, number):
        if not self.held:
            return None
        filled = list(self.held)
        chosen = [self.held[filled[int(u * len(filled))]] for u in self.unit[step, number]]
        return [None if t[0] is None else torch.stack(t) for t in zip(*chosen, strict=True)]

    def put(self, step, x, y, mask, logits):
        for i, place in enumerate(self.places[step].tolist()):
            if place >= 0:
                self.held[place] = (x[i], y[i], mask, logits[i])


def replay(net, batch, draws, now, teachers):
    x, y, mask, logits = batch
    if draws[0] is None:
        return cross_entropy(logits, y)
    xb, yb, maskb, _ = draws[0]
    both = net(torch.cat([x, xb]))
    if mask is not None:
        both = _masked(both, torch.cat([mask.expand(len(x), -1), maskb]))
    return cross_entropy(both, torch.cat([y, yb]))


def finetune(net, batch, draws, now, teachers):
    """With the terms of DER++: logits of one draw, labels of another."""
    _, y, _, logits = batch
    loss = cross_entropy(logits, y)
    if draws[0] is not None:
        xb, _, maskb, stored = draws[0]
        loss = loss + now["terms.0.weight"] * mse_loss(_masked(net(xb), maskb), stored)
    if len(draws) > 1 and draws[1] is not None:
        xb, yb, maskb, _ = draws[1]
        loss = loss + now["terms.1.weight"] * cross_entropy(_masked(net(xb), maskb), yb)
    return loss


def er_ace(net, batch, draws, now, teachers):
    x, y, _, _ = batch
    logits = net(x if draws[0] is None else torch.cat([x, draws[0][0]]))
    logits, past = logits[: len(x)], logits[len(x) :]
    absent = [c for c in range(logits.shape[1]) if c not in set(y.tolist())]
    logits = logits.clone()
    logits[:, absent] = float("-inf")
    loss = cross_entropy(logits, y)
    if draws[0] is not None:
        loss = loss + cross_entropy(past, draws[0][1])
    return loss


def cls_er(net, batch, draws, now, teachers):
    loss = replay(net, batch, draws, now, teachers)
    if draws[0] is None:
        return loss
    xb, yb, maskb, _ = draws[0]
    with torch.no_grad():
        plastic, stable = (_masked(teachers[n](xb), maskb) for n in ("plastic", "stable"))
    rows = []
    for i, label in enumerate(yb.tolist()):
        better = softmax(stable[i], -1)[label] > softmax(plastic[i], -1)[label]
        rows.append(stable[i] if better else plastic[i])
    return loss + now["weight"] * mse_loss(_masked(net(xb), maskb), torch.stack(rows))


def kc_ema(net, batch, draws, now, teachers):
    x, y, mask, logits = batch
    if now["task"] == 0:
        return cross_entropy(logits, y)
    hot = torch.nn.functional.one_hot(y, logits.shape[1]).float()
    dust = x + now["sigma"] * now["noise"]
    with torch.no_grad():
        aim = softmax(_masked(teachers["teacher"](x), mask) / now["temperature"], -1)
        dusted = softmax(_masked(teachers["teacher"](dust), mask), -1)
    q = now["label"] * hot + (1 - now["label"]) * aim
    fused = kl_div(log_softmax(logits, -1), q, reduction="batchmean")
    apart = kl_div(log_softmax(_masked(net(dust), mask), -1), dusted, reduction="batchmean")
    return fused + now["dusted"] * apart


def balanced(net, batch, draws, now, teachers):
    fit = replay(net, batch, draws, now, teachers)
    old, new = now["classes"]
    if not old:
        return fit
    x = batch[0] if draws[0] is None else torch.cat([batch[0], draws[0][0]])
    with torch.no_grad():
        aim = softmax(teachers["teacher"](x)[:, old] / now["temperature"], -1)
    mine = log_softmax(net(x)[:, old] / now["temperature"], -1)
    share = len(old) / (len(old) + len(new))
    return (1 - share) * fit + share * kl_div(mine, aim, reduction="batchmean")


class Plain(NamedTuple):
    """Flat weights at the end."""

    student: torch.Tensor
    teachers: dict[str, torch.Tensor]


LOSSES = {f.__name__: f for f in (replay, finetune, er_ace, cls_er, kc_ema, balanced)}


def train(recipe, stream, *, seed, draws=1, teachers=(), restart=None):
    """``restart``: the teacher that a task's student begins as."""
    clock, strategy = stream.clock, recipe.strategy
    net = recipe.model.build(stream.inputs, stream.classes, generator("weights", seed))
    beside = {n: copy.deepcopy(net) for n in teachers}
    tables = {n: getattr(strategy, n).weights(clock) for n in teachers}
    own = _tables(strategy, clock)
    for i, term in enumerate(getattr(strategy, "terms", ())):
        own |= {f"terms.{i}.{n}": t for n, t in _tables(term, clock).items()}
    rates = recipe.optimizer.lr.table(clock)
    sgd = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9)
    buffer = None if recipe.memory is None else Buffer(recipe, stream, seed, draws)
    step = 0
    orders = stream.batch_indices(seed=seed, size=recipe.batch)
    for task, (split, order) in enumerate(zip(stream.train, orders, strict=True)):
        mask = None if stream.masks is None else stream.masks[task]
        old = sorted({int(c) for s in stream.train[:task] for c in s.y})
        classes = old, sorted(set(split.y.tolist()))
        if restart is not None:
            net.load_state_dict(beside[restart].state_dict())
        for chosen in order:
            x, y = split.x[chosen], split.y[chosen]
            shown = [None] if buffer is None else [buffer.draw(step, d) for d in range(draws)]
            logits = _masked(net(x), mask)
            noise = torch.randn(x.shape, generator=generator("noise", seed, step))
            now = _at(own, step) | {"task": task, "noise": noise, "classes": classes}
            loss = LOSSES[strategy.kind](net, (x, y, mask, logits), shown, now, beside)
            if buffer is not None:
                buffer.put(step, x, y, mask, logits.detach())
            sgd.param_groups[0]["lr"] = rates[step]
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            for n, teacher in beside.items():
                _follow(teacher, net, tables[n][step])
            step += 1
    return Plain(_flat(net), {n: _flat(teacher) for n, teacher in beside.items()})


def _flat(net):
    return torch.nn.utils.parameters_to_vector(net.parameters()).detach()
