"""One member the plain way: a module, ``torch.optim``, ``copy.deepcopy`` for the teacher.

Shares with the cohort only the specs, the first weights and the order of the batches.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, mse_loss
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from tests.oracles.averages import follow
from trainables.seeds import generator


def _sgd(parameters, _):
    return torch.optim.SGD(parameters, lr=0.0)


def _nesterov(parameters, _):
    return torch.optim.SGD(parameters, lr=0.0, momentum=0.9, nesterov=True)


def _adamw(parameters, now):
    # Its bias correction is torch's own, which knows no schedule of betas.
    return torch.optim.AdamW(parameters, betas=(now["beta1"], now["beta2"]))


def _finetune(logits, y, aim, now):
    return cross_entropy(logits, y)


def _mean_teacher(logits, y, aim, now):
    return cross_entropy(logits, y) + now["agreement"] * mse_loss(logits.softmax(-1), aim)


OPTIMIZERS = {"sgd": _sgd, "nesterov": _nesterov, "adamw": _adamw}
LOSSES = {"finetune": _finetune, "mean_teacher": _mean_teacher}
NAMES = {"decay": "weight_decay"}
"""Where our noun is another than torch's."""


@dataclass
class Plain:
    """What is left at the end: flat weights, and accuracy[k][i] on the validation sets."""

    student: torch.Tensor
    teacher: torch.Tensor
    average: torch.Tensor
    accuracy: list[list[float]]


def train(recipe, averager, stream, *, seed):
    clock = stream.clock
    model = recipe.model.build(stream.inputs, stream.classes, generator("weights", seed))
    teacher = copy.deepcopy(model)
    hyper, own = _tables(recipe.optimizer, clock), _tables(recipe.strategy, clock)
    lessons = (
        recipe.strategy.teacher.weights(clock) if hasattr(recipe.strategy, "teacher") else None
    )
    optimizer = OPTIMIZERS[recipe.optimizer.kind](model.parameters(), _at(hyper, 0))
    students, accuracy = [], []
    table = averager.weights(clock)
    batches = stream.batch_indices(seed=seed, size=recipe.batch)
    for task, (split, order) in enumerate(zip(stream.train, batches, strict=True)):
        mask = None if stream.masks is None else stream.masks[task]
        for chosen in order:
            step = len(students)
            for name, value in _at(hyper, step).items():
                optimizer.param_groups[0][NAMES.get(name, name)] = value
            logits = _masked(model(split.x[chosen]), mask)
            with torch.no_grad():
                # A copy, for what its batches do to a teacher's running statistics is not kept.
                aim = _masked(copy.deepcopy(teacher)(split.x[chosen]), mask).softmax(-1)
            loss = LOSSES[recipe.strategy.kind](logits, split.y[chosen], aim, _at(own, step))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            students.append(parameters_to_vector(_floats(model)).detach().clone())
            if lessons is not None:
                _follow(teacher, model, lessons[step])
        average = torch.from_numpy(follow(table[: len(students)], torch.stack(students).numpy()))
        deployed = copy.deepcopy(model)
        vector_to_parameters(average.float(), _floats(deployed))
        accuracy.append([_accuracy(deployed, stream, i) for i in range(task + 1)])
    flat = parameters_to_vector(_floats(teacher)).detach()
    return Plain(students[-1], flat, average, accuracy)


def _floats(model):
    """What is averaged: parameters, then running statistics."""
    return [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]


def _tables(spec, clock):
    schedules = {n: getattr(spec, n) for n in spec.__dataclass_fields__}
    return {n: s.table(clock) for n, s in schedules.items() if hasattr(s, "table")}


def _at(tables, step):
    return {name: float(table[step]) for name, table in tables.items()}


def _masked(logits, mask):
    return logits if mask is None else torch.where(mask, logits, -1e9)


@torch.no_grad()
def _follow(teacher, model, w):
    for t, p in zip(_floats(teacher), _floats(model), strict=True):
        t.copy_(t if w == 0 else p if w == 1 else t + np.float32(w) * (p - t))


@torch.no_grad()
def _accuracy(model, stream, task):
    split = stream.validation[task]
    mask = None if stream.masks is None else stream.masks[task]
    model.eval()
    return (_masked(model(split.x), mask).argmax(-1) == split.y).double().mean().item()
