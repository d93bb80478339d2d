"""scikit-learn's digits (1,797 images, 8 x 8, ten classes): read, and parted once by image.

Data: E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
Learning Repository, the test set, as it comes with scikit-learn.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from trainables.scenarios.base import Shape, Split
from trainables.seeds import generator

CLASSES = 10
INPUTS = (1, 8, 8)
SHAPE = Shape(INPUTS, CLASSES)

# Any two legal sizes leave at least 97 of the 1,797 images for the test, and at least three
# images of each class in each part.
TrainSize: TypeAlias = Annotated[int, Field(ge=50, le=1400)]
ValidationSize: TypeAlias = Annotated[int, Field(ge=50, le=300)]


class Digits(NamedTuple):
    """``x`` float64 [N, 1, 8, 8] in [0, 1]; ``y`` int64 [N]."""

    x: Tensor
    y: Tensor

    def split(self) -> Split:
        return Split(self.x.float(), self.y)


def parts(*, train: int, validation: int, seed: int) -> tuple[Digits, Digits, Digits]:
    """Train, validation and test images: disjoint, each class in proportion, fixed by ``seed``."""
    pixels, labels = _table()
    x = torch.from_numpy(pixels / 16).view(-1, *INPUTS)
    y = torch.from_numpy(labels.astype(np.int64))
    order = _stratified(y, generator("digits", seed))
    held_out = train + validation
    chosen = order[:train], order[train:held_out], order[held_out:]
    first, second, third = (Digits(x[i], y[i]) for i in chosen)
    return first, second, third


def splits(*, train: int, validation: int, seed: int) -> tuple[Split, Split, Split]:
    """The images of ``parts`` as they are, in float32."""
    first, second, third = parts(train=train, validation=validation, seed=seed)
    return first.split(), second.split(), third.split()


def _stratified(y: Tensor, rng: torch.Generator) -> Tensor:
    """An order of the samples in which every stretch holds the classes in proportion. int64 [N].

    The samples of each class, shuffled, are spread evenly over [0, 1), class by class from a
    random start; sorting by that place interleaves the classes.
    """
    place = torch.empty(len(y), dtype=torch.float64)
    for label in range(CLASSES):
        where = (y == label).nonzero().squeeze(1)
        where = where[torch.randperm(len(where), generator=rng)]
        start = torch.rand(1, dtype=torch.float64, generator=rng)
        place[where] = (torch.arange(len(where)) + start) / len(where)
    return place.argsort(stable=True)


@cache
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels [1797, 64] from 0 to 16, and labels [1797]."""
    file = _file()
    if file.is_file():
        table = np.loadtxt(file, delimiter=",")
    else:  # a scikit-learn that keeps its data elsewhere
        from sklearn.datasets import load_digits  # noqa: PLC0415  # costs seconds: see _file

        table = np.column_stack(load_digits(return_X_y=True))
    return table[:, :-1], table[:, -1]


def _file() -> Path:
    """Where scikit-learn keeps the digits.

    Found without importing scikit-learn, which takes a second or more of every worker's start.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the digits come with scikit-learn, which is not installed")
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
