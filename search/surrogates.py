"""Surrogates: what a table would say of candidates that are not in it.

Learnt from a table's rows are the accuracies themselves, a[k][i]: every metric of accuracies follows, and so
does what a rung sees on the way. The input is a candidate's knobs, each where it is along its domain; the
model is an ensemble of small perceptrons. Chosen of those in ``benchmarks/tables/surrogates.py``, by errors on
students that it was not shown (``benchmarks/tables/README.md`` has the figures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import Tensor
from torch.nn.functional import silu

from search.worlds import Knobs
from spaces.domains import Choice
from spaces.space import Domain

Floats = NDArray[np.float64]
Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]

EDGE = 0.02
"""The mean accuracy from which an output starts is kept so far from 0 and 1, where its logit is not."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """Knobs as numbers: a range as how far along its way it is, a choice as a column for each option.

    A knob that is not in play is 0 in all its columns; a range has a second column that is 1 where it
    is in play, so that this is told from the middle of the way.
    """

    knobs: Mapping[str, Domain]
    width: int = field(init=False)
    _at: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        at, width = {}, 0
        for name, domain in self.knobs.items():
            at[name] = width
            width += len(domain.options) if isinstance(domain, Choice) else 2
        object.__setattr__(self, "_at", at)
        object.__setattr__(self, "width", width)

    def __call__(self, candidates: Sequence[Knobs]) -> Floats:
        """[n, width], in [-1, 1]. Raises KeyError on a knob that the space has not."""
        out = np.zeros((len(candidates), self.width))
        for row, knobs in zip(out, candidates, strict=True):
            for name, value in knobs.items():
                at, domain = self._at[name], self.knobs[name]
                if isinstance(domain, Choice):
                    row[at + value] = 1
                else:
                    row[at] = 2 * domain.way(value) - 1
                    row[at + 1] = 1
        return out


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitting:
    """How an ensemble is trained: ``nets`` of ``depth`` hidden layers of ``width`` units (SiLU).

    AdamW on the mean absolute error, whose minimum is the median: what one seed makes of a row is
    not to move its neighbours by much. A one-cycle learning rate up to ``lr``. All choices are ours.
    """

    nets: int = 4
    width: int = 128
    depth: int = 3
    epochs: int = 60
    batch: int = 128
    lr: float = 3e-3
    decay: float = 1e-4
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Perceptrons with sigmoid outputs, their mean. ``layers`` are weights [nets, in, out] and biases [nets, 1, out]."""

    layers: Layers

    def __call__(self, inputs: Floats) -> Floats:
        """Predictions in (0, 1) of ``inputs`` [n, features]. Float64 [n, outputs]."""
        hidden = np.broadcast_to(inputs.astype(np.float32), (len(self.layers[0][0]), *inputs.shape))
        for weights, biases in self.layers[:-1]:
            hidden = hidden @ weights + biases
            hidden = hidden * expit(hidden)
        weights, biases = self.layers[-1]
        mean: Floats = expit(hidden @ weights + biases).mean(axis=0, dtype=np.float64)
        return mean

    @classmethod
    def fit(cls, inputs: Floats, outputs: Floats, how: Fitting) -> Ensemble:
        """Learns ``outputs`` [n, outputs] in [0, 1] of ``inputs`` [n, features]. The same every time."""
        rng = torch.Generator().manual_seed(how.seed)
        x, y = torch.from_numpy(inputs).float(), torch.from_numpy(outputs).float()
        layers = _fresh(x.shape[1], y.mean(0), how, rng)
        parameters = [p for layer in layers for p in layer]
        optimizer = torch.optim.AdamW(parameters, lr=how.lr, weight_decay=how.decay)
        batches = max(1, len(x) // how.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, how.lr, total_steps=how.epochs * batches
        )
        for _ in range(how.epochs):
            order = torch.stack([torch.randperm(len(x), generator=rng) for _ in range(how.nets)])
            for rows in order[:, : batches * how.batch].chunk(batches, dim=1):
                loss = how.nets * (_forward(layers, x[rows]) - y[rows]).abs().mean()
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call] # torch's
                optimizer.step()
                schedule.step()
        return cls([(w.detach().numpy(), b.detach().numpy()) for w, b in layers])

    def write(self, path: Path) -> None:
        """As float16: what that rounds away is far below what the ensemble is off."""
        arrays = {
            f"{part}{i}": a
            for i, layer in enumerate(self.layers)
            for part, a in zip("wb", layer, strict=True)
        }
        np.savez_compressed(path, **{name: a.astype(np.float16) for name, a in arrays.items()})  # type: ignore[arg-type] # numpy's

    @classmethod
    def read(cls, path: Path) -> Ensemble:
        """The ensemble that ``write`` left at ``path``."""
        with np.load(path, allow_pickle=False) as saved:
            arrays = {name: saved[name].astype(np.float32) for name in saved.files}
        depth = len(arrays) // 2
        return cls([(arrays[f"w{i}"], arrays[f"b{i}"]) for i in range(depth)])


def _fresh(
    features: int, mean: Tensor, how: Fitting, rng: torch.Generator
) -> list[tuple[Tensor, Tensor]]:
    """He's initialisation; the last layer starts near the mean of what is to be learnt."""
    sizes = [features, *[how.width] * how.depth, len(mean)]
    layers = []
    for place, (a, b) in enumerate(pairwise(sizes)):
        last = place == how.depth
        scale = (0.1 if last else 1.0) * (2 / a) ** 0.5
        weights = scale * torch.randn(how.nets, a, b, generator=rng)
        biases = torch.zeros(how.nets, 1, b)
        if last:
            biases += torch.from_numpy(logit(mean.clamp(EDGE, 1 - EDGE).numpy()))
        layers.append((weights.requires_grad_(), biases.requires_grad_()))
    return layers


def _forward(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
    """[nets, n, outputs] of [nets, n, features]."""
    for weights, biases in layers[:-1]:
        x = silu(torch.baddbmm(biases, x, weights))
    weights, biases = layers[-1]
    return torch.baddbmm(biases, x, weights).sigmoid()
